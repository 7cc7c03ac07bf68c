// In the simulator a message is one object for its sender and all who receive it,
// where a wire would have made copies. A core that alters one would reach into
// other nodes; hardened messages make such a core throw at the place where it does.

/** Freezes a message all the way down; bytes cannot be frozen and are left. */
export const harden = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return
  Object.freeze(value)
  for (const item of Object.values(value)) harden(item)
}
