// What went wrong, as HTTP says it: a status for each code, and `{error:{code,message}}`.
// A caller's fault carries its own sentence; ours says no more than that it is ours.

import { ShoalError } from '../../core/errors.js'

/** A refusal that belongs to HTTP alone. */
export class HttpError extends ShoalError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message)
    this.name = 'HttpError'
    this.status = status
    this.headers = headers
  }
}

const STATUS: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  TASK_UNKNOWN: 404,
  SPACE_NOT_HELD: 404,
  SPACE_RESERVED: 403,
  AMBIGUOUS: 409,
  MEMBER_ALIVE: 409,
  FENCED: 409,
  TASKS_TOO_MANY: 409,
  STATE_LIMIT: 413,
  VALUE_TOO_LARGE: 413,
  CHECKPOINT_TOO_LARGE: 413,
  TOO_MANY_WRITES: 503,
  NODE_STOPPED: 503,
  STORE_CLOSED: 503,
  STORE_BROKEN: 503,
  STORE_FAILED: 503,
  STORE_READ_ONLY: 503,
  STORE_FULL: 507,
  OWNER_UNREACHABLE: 504,
}

export interface Failure {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}

/** What to answer; a failure of ours (500) is to be logged by the caller. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof HttpError) return error
  if (error instanceof ShoalError) {
    return { status: STATUS[error.code] ?? 400, code: error.code, message: error.message, headers: {} }
  }
  const message = 'something went wrong in this node; its log says what'
  return { status: 500, code: 'INTERNAL', message, headers: {} }
}
