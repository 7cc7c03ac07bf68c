// Seals for the simulator: nobody forges here, so a seal is only as long as a real
// one. Forgery is tried against the real codec, in its own tests.

import type { Accusation, MemberRecord, Sealed, Strike } from '../core/member.js'
import type { Sealer } from '../ports.js'

const SIGNATURE = new Uint8Array(64)
const RECORD = new Uint8Array(220)
const ACCUSATION = new Uint8Array(130)
const STRIKE = new Uint8Array(120)

const seal = <Body>(body: Body, bytes: Uint8Array): Sealed<Body> => ({ body, bytes, signature: SIGNATURE })

export const simSealer: Sealer = {
  record: (body: MemberRecord) => seal(body, RECORD),
  accusation: (body: Accusation) => seal(body, ACCUSATION),
  strike: (body: Strike) => seal(body, STRIKE),
}
