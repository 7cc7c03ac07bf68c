// What the doctor says of one thing: how it is, in a sentence, and what to do.

export type Level = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly check: string
  readonly level: Level
  readonly text: string
  /** What to do; null when nothing is to be done. */
  readonly fix: string | null
}

export const ok = (check: string, text: string): Finding => ({ check, level: 'ok', text, fix: null })
export const warn = (check: string, text: string, fix: string): Finding => ({
  check,
  level: 'warn',
  text,
  fix,
})
export const fail = (check: string, text: string, fix: string): Finding => ({
  check,
  level: 'fail',
  text,
  fix,
})
