// The two ways in which a command ends badly.

import { ShoalError } from '../core/errors.js'

/** What was asked failed. */
export const FAILED = 1
/** It was not understood what was asked. */
export const WRONG_USAGE = 2

/** The command line, a variable or the file says something that is not accepted, or names a file that is not. */
export class UsageError extends ShoalError {
  constructor(message: string, options?: ErrorOptions) {
    super('USAGE', message, options)
  }
}
