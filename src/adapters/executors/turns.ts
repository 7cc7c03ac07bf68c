// Starts things one at a time, each in a turn of the event loop of its own. To fork a
// process keeps the loop for milliseconds; a node that takes over two hundred programs at
// once must go on answering its neighbors, or it is the next one to look dead.

export type Turns = (work: () => void) => void

export const createTurns = (): Turns => {
  const waiting: (() => void)[] = []

  const turn = (): void => {
    const work = waiting.shift()
    if (waiting.length > 0) setImmediate(turn)
    work?.()
  }

  return work => {
    waiting.push(work)
    if (waiting.length === 1) setImmediate(turn)
  }
}
