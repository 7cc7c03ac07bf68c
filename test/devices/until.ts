// Waiting for what the tests expect of real processes and sockets: looked at often, and
// given up after a time that is long enough for a busy machine. The tests claim what
// happened, never how fast.

export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> => {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`this never came: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
