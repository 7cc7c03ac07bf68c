// The two ways to fail. A caller's mistake is a `ShoalError` with a stable code
// and a sentence that names the field, the value and what is accepted; our own
// mistake is an `invariant` that throws, in production too.

export class ShoalError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ShoalError'
    this.code = code
  }
}

export class InvariantViolated extends Error {
  constructor(claim: string) {
    super(`invariant violated: ${claim}`)
    this.name = 'InvariantViolated'
  }
}

/** States what must be true here; a false one is a defect of Shoal. */
export function invariant(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new InvariantViolated(claim)
}

/** Closes an exhaustive switch: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantViolated(`unreachable: ${JSON.stringify(value)}`)
}
