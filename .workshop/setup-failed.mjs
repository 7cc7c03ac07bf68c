// How the setup speaks: on stderr, so that stdout is the program's alone.

/** Something that the person at the keyboard can mend; printed without a stack. */
export class SetupFailed extends Error {}

export const say = text => process.stderr.write(`setup: ${text}\n`)
