#!/usr/bin/env node
// The command `shoal`. This file only decides what is loaded: a node's memory
// settings count from the start of the process, and a command that asks a running
// node must not wait for the code of one. Exit 0: done; 1: what was asked failed;
// 2: wrong usage.

import { setEngine } from './adapters/system/engine.js'

if (process.argv[2] === 'up') setEngine()

/** For what a node that could not start is still closing. */
const LINGER_MS = 1_000

const { main } = await import('./cli/main.js')
await main(process.argv.slice(2))
// What is still being closed must not keep a process that has failed.
if (process.argv[2] === 'up' && process.exitCode !== undefined)
  setTimeout(() => process.exit(), LINGER_MS).unref()
