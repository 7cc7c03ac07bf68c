// The library: what a program that embeds a node imports. Nothing starts on import.

export { ShoalError } from './core/errors.js'
