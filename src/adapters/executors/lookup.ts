// Finds the file that the kernel would execute, and says in words why there is none,
// before anything is spawned. It decides nothing: should the file change between the look
// and the start, the gate's own failure says so.

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

/** What the kernel reads of a script to find its interpreter. */
const headBytesMax = 256
const DEFAULT_PATH = '/usr/bin:/bin'

export type Found = { readonly path: string } | { readonly problem: string }

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

/** Null when this file can be executed, or the code that `execve` would give. */
const refusalOf = (path: string): string | null => {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) return 'EISDIR'
    if (!stat.isFile()) return 'EACCES'
    accessSync(path, constants.X_OK)
    return null
  } catch (error) {
    return codeOf(error)
  }
}

/** The interpreter that a script names in its first line, or null. */
const interpreterOf = (path: string): string | null => {
  const head = Buffer.alloc(headBytesMax)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, head, 0, headBytesMax, 0)
    } finally {
      closeSync(file)
    }
  } catch {
    // A program may be executable without being readable; a script may not, and says so itself.
    return null
  }
  return /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString('latin1'))?.[1] ?? null
}

const problemOf = (program: string, code: string): string => {
  const named = JSON.stringify(program)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `exec: ${named}, or the interpreter that it names, is not on this node (ENOENT)`
    case 'EISDIR':
      return `exec: ${named} is a directory, not a program (EISDIR)`
    case 'EACCES':
      return `exec: ${named} may not be executed by this node's user (EACCES)`
    default:
      return `exec: ${named} cannot be executed (${code})`
  }
}

/** Null when a program can work there. */
export const cwdProblem = (cwd: string): string | null => {
  const named = JSON.stringify(cwd)
  try {
    if (!statSync(cwd).isDirectory()) return `exec: cwd ${named} is not a directory on this node`
    accessSync(cwd, constants.X_OK)
    return null
  } catch (error) {
    const code = codeOf(error)
    return code === 'EACCES' || code === 'EPERM'
      ? `exec: cwd ${named} may not be entered by this node's user (${code})`
      : `exec: cwd ${named} is not a directory on this node (${code})`
  }
}

export const findProgram = (program: string, cwd: string, searchPath = DEFAULT_PATH): Found => {
  let refusal = 'ENOENT'
  // As the kernel's library does it: the first that can be executed, else the best reason.
  const folders = program.includes('/') ? [''] : searchPath.split(':').map(folder => folder || '.')
  for (const folder of folders) {
    const path = resolve(cwd, folder, program)
    const code = refusalOf(path)
    if (code === null) {
      const interpreter = interpreterOf(path)
      const why = interpreter === null ? null : refusalOf(resolve(cwd, interpreter))
      return why === null ? { path } : { problem: problemOf(program, why === 'EISDIR' ? 'EACCES' : why) }
    }
    if (code !== 'ENOENT' && code !== 'ENOTDIR') refusal = code
  }
  if (refusal !== 'ENOENT' || program.includes('/')) return { problem: problemOf(program, refusal) }
  return { problem: `exec: ${JSON.stringify(program)} is not in PATH ${searchPath} of this node (ENOENT)` }
}
