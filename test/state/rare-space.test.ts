import test from 'ava'
import { coreOf, createProductWorld } from '../../src/sim/product.js'

test('a space that three of 40 hold and that begins when all is calm reaches all three, and nobody else', t => {
  t.timeout(120_000)
  for (let seed = 1; seed <= 2; seed++) {
    const holders = [1, 20, 39]
    const world = createProductWorld({
      seed,
      nodes: 40,
      spaces: index => (holders.includes(index) ? ['rare', 'usual'] : ['usual']),
    })
    world.run(30_000)
    for (const [i, holder] of holders.entries()) {
      const changes = [{ key: `from-${holder}`, value: i }]
      world.inject(holder, { kind: 'stateWrite', space: 'rare', changes, request: i })
      world.run(30_000 + 5_000 * (i + 1))
    }
    for (const holder of holders) {
      const { state } = coreOf(world, holder)
      t.deepEqual(
        [...state.entries('rare')].map(([key]) => key),
        ['from-1', 'from-20', 'from-39'],
        `seed ${seed}, node ${holder}`,
      )
    }
    t.throws(() => coreOf(world, 2).state.get('rare', 'from-1'), { code: 'SPACE_NOT_HELD' })
  }
})
