// What has changed in each space since it was last asked for: for the parts of the core
// that read shared state.

export interface SpaceChanges {
  readonly space: string
  readonly keys: readonly string[]
}

export class Changes {
  readonly #keys = new Map<string, Set<string>>()

  note(space: string, keys: readonly string[]): void {
    const known = this.#keys.get(space) ?? new Set()
    for (const key of keys) known.add(key)
    this.#keys.set(space, known)
  }

  take(): SpaceChanges[] {
    const out = [...this.#keys].map(([space, keys]) => ({ space, keys: [...keys] }))
    this.#keys.clear()
    return out
  }
}
