// A million spoilt messages against the decoder and the exchange, or as many as the
// first argument says. Prints progress; the second argument is the first seed.

import { fuzz } from '../state/fuzz.js'

const EACH = 10_000
const inputs = Number(process.argv[2] ?? 1_000_000)
const firstSeed = Number(process.argv[3] ?? 1)
const startedAt = Date.now()
for (let done = 0, seed = firstSeed; done < inputs; done += EACH, seed++) {
  const fault = fuzz(seed, EACH)
  if (fault !== null) {
    console.error(`seed ${seed}: ${fault}\nreplay: node dist/test/soak/state-fuzz.js ${EACH} ${seed}`)
    process.exit(1)
  }
  if (seed % 10 === 0) console.log(`${done + EACH} inputs, ${Math.round((Date.now() - startedAt) / 1_000)} s`)
}
console.log(`state-fuzz: ${inputs} inputs, no fault, ${Math.round((Date.now() - startedAt) / 1_000)} s`)
