// The bytes of a hello: the hash of all that both should hold, and on what footing its sender stands.
//
//   (nothing)                     it has just booted and asks for everything
//   root                          it knows what the mesh knows, or is believed to
//   root, 0                       it has booted and met nobody to rely on
//   root, 0 or 1, hashes of ids   the same, or no more; and before this it told how far it knows each document's
//                                 writers, and has so heard of these members as well
//
// It never says what is known, only of whom.

import { hashText } from '../hash.js'
import type { NodeId } from '../ids.js'

export interface Hello {
  readonly asksAll: boolean
  readonly isSure: boolean
  readonly root: Uint8Array
  /** Of whom its sender has heard, and told; null when it did not say. */
  readonly met: readonly number[] | null
}

/** The root of a hello whose sender wants the other's summary in any case. */
export const ASK_ALL = new Uint8Array(0)

const ROOT_BYTES = 8
/** More members than may be named: 16 KB. In a larger mesh some that have just booted have to do. */
export const MET_MAX = 4_096
export const HELLO_BYTES_MAX = ROOT_BYTES + 1 + 4 * MET_MAX

/** What a member is called in one. */
export const metHash = (node: NodeId): number => hashText(node) >>> 0

export const readHello = (bytes: Uint8Array): Hello => {
  const root = bytes.subarray(0, ROOT_BYTES)
  if (bytes.length <= ROOT_BYTES)
    return { asksAll: bytes.length === 0, isSure: bytes.length === ROOT_BYTES, root, met: null }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const met: number[] = []
  for (let at = ROOT_BYTES + 1; at + 4 <= bytes.length; at += 4) met.push(view.getUint32(at))
  return { asksAll: false, isSure: bytes[ROOT_BYTES] === 1, root, met: met.length > 0 ? met : null }
}

export const writeHello = (
  root: Uint8Array,
  isSure: boolean,
  met: readonly number[] | null = null,
): Uint8Array => {
  if (isSure && met === null) return root
  const named = (met ?? []).slice(0, MET_MAX)
  const out = new Uint8Array(ROOT_BYTES + 1 + 4 * named.length)
  out.set(root)
  const view = new DataView(out.buffer)
  view.setUint8(ROOT_BYTES, isSure ? 1 : 0)
  named.forEach((hash, i) => {
    view.setUint32(ROOT_BYTES + 1 + 4 * i, hash)
  })
  return out
}
