// Signals that come before there is a node: its modules take half a second to load. Nothing
// is to be reloaded yet, and nobody is to be said goodbye to.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Answers them until the result is called. */
export const answerEarlySignals = (): (() => void) => {
  const answer = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGHUP') process.exit(0)
  }
  for (const signal of SIGNALS) process.on(signal, answer)
  return () => {
    for (const signal of SIGNALS) process.off(signal, answer)
  }
}
