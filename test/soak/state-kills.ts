// Fifty real writers killed at work (another number as argument): nothing that was
// acknowledged is lost, and all replicas end equal.

import { Fleet } from '../fleet/fleet.js'
import { killWriters } from '../fleet/writers.js'

const kills = Number(process.argv[2] ?? 50)
const fleet = new Fleet()
try {
  const { acknowledged, lost, digests } = await killWriters(fleet, 5, kills, kill => {
    if (kill % 10 === 0) console.log(`${kill} of ${kills} writers killed`)
  })
  const replicas = new Set(digests).size
  console.log(
    `${kills} kills of 5 writers: ${acknowledged} writes acknowledged, ${lost.length} lost, ${replicas} different replicas`,
  )
  for (const loss of lost.slice(0, 20)) console.log(`  ${loss}`)
  if (lost.length > 0 || replicas !== 1) process.exitCode = 1
} finally {
  await fleet.stop()
}
