// The page in a real browser, served by a node of a real mesh: members appear, a node is
// killed, its tasks move. The claim is on what is shown and in which order; how long it took
// after the node's own event is printed. Needs Debian's chromium.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { chromium } from 'playwright-core'
import { cleanUp, eventOf, makeDirectory, type RunningShoal, shoal, up } from '../cli/shoal.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const BOUND_MS = 30_000
const TASKS = 6
const SIZES = { desktop: { width: 1_280, height: 860 }, phone: { width: 360, height: 740 } }

test('the page of a real node shows members that come, one that is killed, and its tasks that move', async t => {
  if (!existsSync(CHROMIUM)) throw new Error(`chromium is missing (${CHROMIUM}): apt-get install chromium`)
  t.timeout(6 * BOUND_MS)
  const directory = makeDirectory()
  const nodes: RunningShoal[] = []
  const add = async (name: string): Promise<RunningShoal> => {
    const joins = nodes.flatMap(({ addrs }) => ['--join', addrs[0] as string])
    const node = await up(['--name', name, '--data', join(directory, name), ...joins])
    nodes.push(node)
    return node
  }
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  try {
    const first = await add('gw-1')
    const page = await browser.newPage({ viewport: SIZES.desktop })
    page.setDefaultTimeout(BOUND_MS)
    const complaints: string[] = []
    page.on('pageerror', error => complaints.push(error.message))
    await page.goto(`http://${first.api}/#/`)
    await page.locator('[data-status]').waitFor()

    const drawn = (id: string): string => `.drawing [data-member="${id}"]`
    /** The page's clock when it first shows this; it is the same machine's as the node's. */
    const seenAt = (selector: string): Promise<number> =>
      page.evaluate(
        ([wanted, bound]) =>
          new Promise<number>((resolve, reject) => {
            const end = Date.now() + bound
            const look = (): void => {
              if (document.querySelector(wanted) !== null) resolve(Date.now())
              else if (Date.now() > end) reject(new Error(`${wanted} did not appear`))
              else requestAnimationFrame(look)
            }
            look()
          }),
        [selector, BOUND_MS] as const,
      )

    for (const name of ['gw-2', 'gw-3', 'gw-4']) {
      const node = await add(name)
      const [event, seen] = await Promise.all([
        eventOf(first, each => each.kind === 'member.alive' && each.member === node.id),
        seenAt(`${drawn(node.id)}[data-verdict=alive]`),
      ])
      t.log(`${name} drawn ${seen - event.at} ms after member.alive`)
    }

    const specs = Array.from({ length: TASKS }, (_, i) => ({ id: `t${i}`, run: { exec: ['sleep', '600'] } }))
    const applied = await shoal(['tasks', 'apply', '-'], { api: first.api, input: JSON.stringify(specs) })
    t.is(applied.code, 0, applied.err)
    const ownersOf = async (): Promise<Map<string, string | null>> => {
      const tasks = (await (await fetch(`http://${first.api}/v1/tasks`)).json()) as {
        id: string
        copies: { node: string | null; phase: string }[]
      }[]
      return new Map(
        tasks.map(({ id, copies }) => [id, copies.find(({ phase }) => phase === 'running')?.node ?? null]),
      )
    }
    let owners = await ownersOf()
    for (const end = Date.now() + BOUND_MS; Date.now() < end; owners = await ownersOf()) {
      if (owners.size === TASKS && ![...owners.values()].includes(null)) break
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    const victim = nodes.slice(1).find(({ id }) => [...owners.values()].includes(id)) as RunningShoal
    t.truthy(victim, 'some other node runs a task')
    const moving = [...owners].filter(([, node]) => node === victim.id).map(([id]) => id)

    const dead = eventOf(first, each => each.kind === 'member.dead' && each.member === victim.id)
    const turned = seenAt(`${drawn(victim.id)}[data-verdict=dead]`)
    await victim.end('SIGKILL')
    const [{ at }, seen] = await Promise.all([dead, turned])
    t.log(`the killed one turned ${seen - at} ms after member.dead`)

    const names = new Map(nodes.map(({ id, name }) => [id, name]))
    await page.locator('nav a', { hasText: 'Tasks' }).click()
    for (const id of moving) {
      const moved = (await eventOf(
        first,
        each => each.kind === 'task.moved' && each.task === id && each.from === victim.id,
      )) as { readonly to?: string | null }
      t.not(moved.to, victim.id)
      const name = names.get(moved.to ?? '') ?? 'nowhere'
      await page.locator(`[data-row-task="${id}"]`, { hasText: `running on ${name}` }).waitFor()
    }

    const shots = process.env.SHOTS
    if (shots !== undefined) {
      mkdirSync(shots, { recursive: true })
      for (const [size, viewport] of Object.entries(SIZES)) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize(viewport)
          await page.emulateMedia({ colorScheme })
          for (const view of ['', 'tasks', `task/${moving[0]}`]) {
            await page.goto(`http://${first.api}/#/${view}`)
            await page.waitForTimeout(300)
            const file = `${size}-${colorScheme}-${view.replace('/', '-') || 'mesh'}.png`
            await page.screenshot({ path: join(shots, file) })
          }
        }
      }
    }
    t.deepEqual(complaints, [])
  } finally {
    await browser.close()
    await cleanUp(nodes, directory)
  }
})
