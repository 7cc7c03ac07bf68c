import test from 'ava'
import * as Y from 'yjs'
import { createRng } from '../../src/core/rng.js'
import { DeleteHashes } from '../../src/core/state/delete-hashes.js'

test('hashes that are kept are those of a fresh look, whatever was written and deleted meanwhile', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const rng = createRng(seed)
    const doc = new Y.Doc()
    const kept = new DeleteHashes(doc.store)
    doc.on('update', (_update, _origin, _doc, transaction: Y.Transaction) => {
      for (const [client, items] of transaction.deleteSet.clients)
        for (const { clock, len } of items) kept.deleted({ client, from: clock, to: clock + len })
    })
    const text = doc.getText('t')
    for (let round = 0; round < 60; round++) {
      doc.clientID = 1 + rng.below(2)
      doc.transact(() => {
        for (let i = rng.below(30); i >= 0; i--) {
          const at = rng.below(text.length + 1)
          if (rng.below(3) > 0) text.insert(at, 'x'.repeat(1 + rng.below(300)))
          else text.delete(at, Math.min(rng.below(80), text.length - at))
        }
      })
      for (const client of [1, 2]) {
        const end = Y.getState(doc.store, client)
        // As of now, as of before, and as a peer that is ahead would ask.
        for (const clock of [end, rng.below(end + 1), end + rng.below(20_000)])
          t.deepEqual(
            kept.upTo(client, clock),
            new DeleteHashes(doc.store).upTo(client, clock),
            `seed ${seed}`,
          )
      }
    }
    t.true(Math.max(Y.getState(doc.store, 1), Y.getState(doc.store, 2)) > 32_768)
  }
})

test('who asks about the same clocks again, behind or ahead of what is here, has nothing looked through again', t => {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.transact(() => {
    const map = doc.getMap('m')
    for (let i = 0; i < 100_000; i++) map.set(`k${i}`, i)
    for (let i = 0; i < 100_000; i += 3) map.delete(`k${i}`)
  })
  let looked = 0
  const structs = doc.store.clients.get(1) as Y.Item[]
  const watched = new Proxy(structs, {
    get: (list, key) => {
      if (key !== 'length') looked++
      return Reflect.get(list, key) as unknown
    },
  })
  const hashes = new DeleteHashes({ clients: new Map([[1, watched]]) } as unknown as Y.Doc['store'])
  const fresh = new DeleteHashes(doc.store)
  const end = Y.getState(doc.store, 1)
  hashes.upTo(1, end)
  for (const clock of [end, 20_000, 50_000, 2 * end, 1_000 * end]) {
    hashes.upTo(1, clock)
    looked = 0
    t.deepEqual(hashes.upTo(1, clock), fresh.upTo(1, clock))
    t.true(looked < 1_000, `${looked} at ${clock}`)
  }
  // Nor does it grow with what is made up.
  for (let clock = 1; clock < 2 ** 45; clock *= 2) hashes.upTo(1, clock)
  t.deepEqual(hashes.upTo(1, end), fresh.upTo(1, end))
})
