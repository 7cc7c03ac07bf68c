// The word that was probably meant, by the number of letters to change.

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** The known word nearest to what was written, or null if none is near. */
export const nearest = (word: string, known: readonly string[]): string | null => {
  const written = word.toLowerCase().replaceAll('_', '-').slice(0, 64)
  let best: string | null = null
  let least = Math.max(2, Math.floor(written.length / 3)) + 1
  for (const each of known) {
    const apart = written === each ? 0 : distance(written, each)
    if (apart < least) {
      least = apart
      best = each
    }
  }
  return best
}
