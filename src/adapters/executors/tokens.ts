// The token that a copy shows at the HTTP door. It names its copy and is sealed with
// a key of this boot, so a token whose copy is over is still recognised (it gets
// `FENCED`, not "who are you?") without a list of all that ever were. Each run gets
// a token of its own, also under the same epoch: what an earlier run left behind must
// not be able to speak for its successor.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { taskId } from '../../core/ids.js'
import type { CopyId } from '../../core/step.js'

export interface TokenDesk {
  issue(copy: CopyId): string
  revoke(token: string): void
}

export interface CopyTokens extends TokenDesk {
  /** Whose token this is and whether that run is under way; null: not one of ours. */
  check(token: string): { readonly copy: CopyId; readonly live: boolean } | null
}

const PREFIX = 'copy'

export const createCopyTokens = (): CopyTokens => {
  const key = randomBytes(32)
  const live = new Set<string>()
  const sealOf = (body: string): Buffer => createHmac('sha256', key).update(body).digest()

  return {
    issue(copy) {
      const words = [copy.task, copy.slot, copy.epoch, randomBytes(6).toString('base64url')]
      const body = Buffer.from(JSON.stringify(words)).toString('base64url')
      const token = `${PREFIX}.${body}.${sealOf(body).toString('base64url')}`
      live.add(token)
      return token
    },
    revoke(token) {
      live.delete(token)
    },
    check(token) {
      const [prefix, body, seal, ...rest] = token.split('.')
      if (prefix !== PREFIX || body === undefined || seal === undefined || rest.length > 0) return null
      const given = Buffer.from(seal, 'base64url')
      const expected = sealOf(body)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
      // The seal is ours, so the body is what `issue` wrote.
      const [task, slot, epoch] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as [
        string,
        number,
        string,
      ]
      return { copy: { task: taskId(task), slot, epoch }, live: live.has(token) }
    },
  }
}
