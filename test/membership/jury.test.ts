import test from 'ava'
import type { NodeId } from '../../src/core/ids.js'
import { suspicionTimeoutMs } from '../../src/core/membership/suspicion.js'
import { accusationOf, type Court, courtOf, id, recordOf } from './words.js'

const accuse = (court: Court, accuser: NodeId, evidence: 'silent' | 'refused' = 'silent', now = 0): boolean =>
  court.jury.admit(now, accusationOf(accuser, court.subject, evidence))

const kindAt = (court: Court, now: number): string => court.jury.find(now, court.subject.body.id).kind

/** Observers other than the judge, in rank order. */
const others = (court: Court): NodeId[] => court.observers.filter(observer => observer !== court.roster.self)

test('a suspicion lasts from the longest to the shortest time as more observers agree', t => {
  t.is(suspicionTimeoutMs(1, 3, 500, 3_000), 3_000)
  t.is(suspicionTimeoutMs(2, 3, 500, 3_000), 500)
  t.is(suspicionTimeoutMs(3, 3, 500, 3_000), 0)
  const falling = [1, 2, 3, 4].map(accusers => suspicionTimeoutMs(accusers, 5, 500, 3_000))
  t.deepEqual(falling, [3_000, 2_167, 1_333, 500])
  t.is(suspicionTimeoutMs(1, 2, 500, 3_000), 3_000)
})

test('without an accusation there is nothing to find', t => {
  t.is(kindAt(courtOf(5), 0), 'none')
})

for (const [members, quorum] of [
  [3, 2],
  [4, 2],
  [5, 3],
  [50, 3],
] as const) {
  test(`in a mesh of ${members}, ${quorum} silent accusers are a verdict, and one fewer is a suspicion`, t => {
    const court = courtOf(members, id(1000))
    court.roster.put(recordOf(id(1000)), { verdict: 'left', cause: 'left', since: 0 })
    const accusers = court.roster.rings.successors(court.subject.body.id, 8)
    for (const accuser of accusers.slice(0, quorum - 1)) t.true(accuse(court, accuser))
    t.is(kindAt(court, 0), 'suspect')
    t.true(accuse(court, accusers[quorum - 1] as NodeId))
    const finding = court.jury.find(0, court.subject.body.id)
    t.like(finding, { kind: 'dead', cause: 'unreachable' })
    t.is(finding.kind === 'dead' ? finding.proof.length : 0, quorum)
  })
}

test('in a mesh of 2 the only observer is a majority, but the subject has the time of an answer', t => {
  const court = courtOf(2)
  t.true(accuse(court, id(0)))
  t.is(kindAt(court, court.config.suspicionAloneMs - 1), 'suspect')
  t.is(kindAt(court, court.config.suspicionAloneMs), 'dead')
})

test('one accuser alone is a suspicion that becomes a verdict only after the longest time', t => {
  const court = courtOf(50)
  t.true(accuse(court, others(court)[0] as NodeId))
  t.is(kindAt(court, court.config.suspicionMaxMs - 1), 'suspect')
  t.is(kindAt(court, court.config.suspicionMaxMs), 'dead')
})

test('accusations that were handed on later leave their subject the time of an answer', t => {
  const court = courtOf(50)
  const subject = court.subject.body.id
  for (const accuser of others(court).slice(0, 4))
    t.true(court.jury.admit(0, accusationOf(accuser, court.subject, 'refused'), 'belated'))
  t.deepEqual(court.jury.find(0, subject), { kind: 'suspect', untilAt: court.config.suspicionAloneMs })
  t.is(kindAt(court, court.config.suspicionAloneMs), 'dead')
  // One that speaks now makes it a matter of now.
  const again = courtOf(50)
  for (const [i, accuser] of others(again).slice(0, 4).entries())
    again.jury.admit(0, accusationOf(accuser, again.subject, 'refused'), i > 0 ? 'belated' : 'link')
  t.is(kindAt(again, 0), 'dead')
})

test('what was said on the other side of a cut, and is handed on by who comes back from there, is no evidence', t => {
  const belated = (returned: number): boolean => {
    const court = courtOf(50)
    for (const index of [40, 41, 42].slice(0, returned)) court.jury.returned(0, id(index))
    // A suspicion says nothing of where it was.
    court.jury.admit(0, accusationOf(id(43), court.roster.get(id(40))?.sealed ?? court.subject))
    court.roster.put(recordOf(id(40)), { verdict: 'suspect', cause: null, since: 0 })
    const accusation = accusationOf(id(40), court.subject)
    t.true(court.jury.admit(court.config.outsideMs, accusation, 'link') || returned === 0)
    court.jury.lapse(court.subject.body.id)
    return court.jury.admit(court.config.outsideMs - 1, accusation, 'belated')
  }
  t.false(belated(3))
  // Two may each have an illness of their own.
  t.true(belated(2))
})

/** A case that so many speak in who are called last, while so many of its first observers are accused by both of them. */
const courtOfMute = (mute: number, words: number): Court => {
  const court = courtOf(20, id(19))
  const accusers = others(court).slice(-2)
  for (const observer of others(court).slice(0, mute))
    for (const accuser of accusers)
      court.jury.admit(0, accusationOf(accuser, court.roster.get(observer)?.sealed ?? court.subject))
  for (const accuser of accusers.slice(0, words)) accuse(court, accuser)
  return court
}

test('in a split nobody waits for the words of observers who are accused by two others', t => {
  const { suspicionAloneMs } = courtOf(20).config
  t.is(kindAt(courtOfMute(0, 1), suspicionAloneMs), 'suspect')
  t.is(kindAt(courtOfMute(3, 1), suspicionAloneMs), 'dead')
})

test('two who accuse its observers and then it kill nobody before it can answer', t => {
  const court = courtOfMute(3, 2)
  t.is(kindAt(court, court.config.suspicionMinMs - 1), 'suspect')
  t.is(kindAt(court, court.config.suspicionMinMs), 'dead')
})

test('who cries wolf starts no clock, and what it said is let go', t => {
  const court = courtOf(50)
  const { jury, config } = court
  const subject = court.subject.body.id
  const [wolf, honest] = others(court) as [NodeId, NodeId]
  for (let alarm = 0; alarm < config.falseAlarmsMax; alarm++) {
    accuse(court, wolf)
    jury.dismiss(subject)
  }
  const late = 10 * config.suspicionMaxMs
  t.true(accuse(court, wolf))
  t.is(kindAt(court, late), 'none')
  t.is(jury.lapsesAt(subject), config.suspicionMaxMs)
  t.true(accuse(court, honest, 'silent', late))
  t.is(kindAt(court, late), 'suspect')
  jury.lapse(subject)
  t.is(jury.lapsesAt(subject), null)
})

test('one liar kills nobody: its second and third word count as one', t => {
  const court = courtOf(50)
  const liar = others(court)[0] as NodeId
  t.true(accuse(court, liar))
  t.false(accuse(court, liar))
  t.true(accuse(court, liar, 'refused'), 'a refusal is stronger than silence, and replaces it')
  t.false(accuse(court, liar, 'silent'))
  t.is(kindAt(court, 0), 'suspect')
})

test('refused by two is crashed, refused by one is not', t => {
  const court = courtOf(50)
  const [first, second] = others(court) as [NodeId, NodeId]
  accuse(court, first, 'refused')
  t.is(kindAt(court, 0), 'suspect')
  accuse(court, second, 'refused')
  t.like(court.jury.find(0, court.subject.body.id), { kind: 'dead', cause: 'crashed' })
})

test('in a mesh of 2 one refusal is all there can be', t => {
  const court = courtOf(2)
  accuse(court, id(0), 'refused')
  t.like(court.jury.find(0, court.subject.body.id), { kind: 'dead', cause: 'crashed' })
})

test('who is not among the first 2K observers does not count', t => {
  const court = courtOf(200)
  const strangers = court.roster
    .all()
    .map(entry => entry.id)
    .filter(other => other !== court.subject.body.id && !court.observers.includes(other) && other !== id(0))
  for (const stranger of strangers.slice(0, 20)) accuse(court, stranger)
  t.is(kindAt(court, 0), 'none')
})

test('an accuser that died no longer counts', t => {
  const court = courtOf(50)
  const accusers = others(court).slice(0, 3)
  for (const accuser of accusers) accuse(court, accuser)
  t.is(kindAt(court, 0), 'dead')
  const gone = accusers[0] as NodeId
  court.roster.put(recordOf(gone), { verdict: 'dead', cause: 'crashed', since: 0 })
  t.is(kindAt(court, 0), 'suspect')
})

test('nobody is heard who is dead, unknown, or accuses itself, and nobody twice dead', t => {
  const court = courtOf(50)
  const gone = others(court)[0] as NodeId
  court.roster.put(recordOf(gone), { verdict: 'dead', cause: 'crashed', since: 0 })
  t.false(accuse(court, gone))
  t.false(accuse(court, id(999)))
  t.false(accuse(court, court.subject.body.id))
  court.roster.put(court.subject, { verdict: 'dead', cause: 'crashed', since: 0 })
  t.false(accuse(court, others(court)[1] as NodeId))
  t.is(court.jury.size, 0)
})

test('an accusation of another version or another life says nothing about this one', t => {
  const court = courtOf(50)
  const accuser = others(court)[0] as NodeId
  const older = recordOf(court.subject.body.id, { generation: { number: 0, instance: 'aa' } })
  const newer = recordOf(court.subject.body.id, { refutation: 1 })
  t.false(court.jury.admit(0, accusationOf(accuser, older)))
  t.false(court.jury.admit(0, accusationOf(accuser, newer)))
})

test('who found it silent itself asks the majority of the observers that it can still hear', t => {
  const probe = courtOf(50)
  const judge = probe.observers[0] as NodeId
  const court = courtOf(50, judge)
  const bench = court.observers.slice(0, court.config.observersPerMember)
  accuse(court, judge)
  t.is(kindAt(court, 0), 'suspect')
  // The judge finds the other three observers silent too: on its side of the split there is nobody else to ask.
  for (const other of bench.filter(observer => observer !== judge)) {
    const entry = court.roster.get(other)
    if (entry !== undefined) court.jury.admit(0, accusationOf(judge, entry.sealed))
  }
  t.is(kindAt(court, court.config.suspicionAloneMs - 1), 'suspect')
  t.is(kindAt(court, court.config.suspicionAloneMs), 'dead')
})

test('an accuser that was refuted too often is no longer believed alone, and beside others the subject has the time of an answer', t => {
  const court = courtOf(50)
  const [wolf, second, third] = others(court) as [NodeId, NodeId, NodeId]
  for (let i = 0; i < court.config.falseAlarmsMax; i++) {
    accuse(court, wolf)
    t.true(court.jury.dismiss(court.subject.body.id))
  }
  accuse(court, wolf)
  t.is(kindAt(court, court.config.suspicionMaxMs * 2), 'none')
  accuse(court, second)
  accuse(court, third)
  t.is(kindAt(court, court.config.suspicionAloneMs - 1), 'suspect')
  t.is(kindAt(court, court.config.suspicionAloneMs), 'dead')
})

test('false alarms are forgiven after a while, and at once to one that proves right', t => {
  for (const forgive of ['forgive', 'close'] as const) {
    const court = courtOf(50)
    const wolf = others(court)[0] as NodeId
    for (let i = 0; i < court.config.falseAlarmsMax; i++) {
      accuse(court, wolf)
      court.jury.dismiss(court.subject.body.id)
    }
    accuse(court, wolf)
    t.is(kindAt(court, 0), 'none')
    if (forgive === 'forgive') court.jury.forgive(court.config.outsideMs)
    else court.jury.close(court.subject.body.id)
    accuse(court, wolf)
    t.is(kindAt(court, 0), 'suspect')
  }
})

test('cases do not age while this node is frozen', t => {
  const court = courtOf(50)
  accuse(court, others(court)[0] as NodeId)
  court.jury.postpone(10_000)
  t.is(kindAt(court, court.config.suspicionMaxMs + 9_999), 'suspect')
  t.is(kindAt(court, court.config.suspicionMaxMs + 10_000), 'dead')
})

test('closed and dropped cases leave nothing behind', t => {
  const court = courtOf(50)
  for (const accuser of others(court).slice(0, 3)) accuse(court, accuser)
  court.jury.close(court.subject.body.id)
  t.is(court.jury.size, 0)
})
