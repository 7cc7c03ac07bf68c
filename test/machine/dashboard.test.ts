// The page in a real browser, against an API without a node: what a person sees and does.
// Needs Debian's chromium. Times are taken in the page, from the event's own time to the
// frame in which it is drawn.

import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createMockApi, type MockApi, type MockOptions, pageFile } from '../dashboard/mock-api.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const PAGE_BYTES_MAX = 120 * 1_024
const SEEN_WITHIN_MS = 1_000
const DESKTOP = { width: 1_280, height: 860 }
const PHONE = { width: 360, height: 740 }

let browser: Browser

test.before(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`chromium is missing (${CHROMIUM}): apt-get install chromium`)
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
})
test.after.always(async () => {
  await browser?.close()
})

interface Visit {
  readonly api: MockApi
  readonly page: Page
  /** What the page complained of, except for requests that are meant to fail. */
  readonly complaints: string[]
  /** Requests to anywhere but the node. */
  readonly strangers: string[]
}

interface VisitOptions extends MockOptions {
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly hash?: string | ((api: MockApi) => string)
  readonly dark?: boolean
  readonly prepare?: (api: MockApi) => void
}

const visit = async (options: VisitOptions, look: (visit: Visit) => Promise<void>): Promise<void> => {
  const api = createMockApi(options)
  options.prepare?.(api)
  await api.listen(0)
  const context = await browser.newContext({
    viewport: options.viewport ?? DESKTOP,
    colorScheme: options.dark === true ? 'dark' : 'light',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const origin = `http://127.0.0.1:${api.port}`
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) strangers.push(request.url())
  })
  try {
    const hash = typeof options.hash === 'function' ? options.hash(api) : (options.hash ?? '#/')
    await page.goto(`${origin}/${hash}`)
    await look({ api, page, complaints, strangers })
  } finally {
    await context.close()
    await api.close()
  }
}

const live = (page: Page): Promise<unknown> => page.locator('[data-status=live]').waitFor()

const drawn = (id: string): string => `.drawing [data-member="${id}"]`

/** Resolves to the time at which the page first matched the selector. */
const seenAt = (page: Page, selector: string): Promise<number> =>
  page.evaluate(
    wanted =>
      new Promise<number>(resolve => {
        const look = (): void => {
          if (document.querySelector(wanted) !== null) resolve(Date.now())
          else requestAnimationFrame(look)
        }
        look()
      }),
    selector,
  )

test.serial('the page is one file within its budget, and asks nobody else', async t => {
  t.true(gzipSync(readFileSync(pageFile), { level: 9 }).length < PAGE_BYTES_MAX)
  await visit({ members: 5 }, async ({ page, complaints, strangers }) => {
    await live(page)
    t.deepEqual(strangers, [])
    t.deepEqual(complaints, [])
  })
})

for (const [name, viewport, members] of [
  ['a desktop', DESKTOP, 5],
  ['a phone', PHONE, 5],
  ['a desktop', DESKTOP, 200],
  ['a phone', PHONE, 200],
] as const) {
  test.serial(`${members} members appear on ${name}, apart and inside the drawing`, async t => {
    await visit(
      { members, tasks: members, viewport, dark: members > 5 },
      async ({ api, page, complaints }) => {
        await live(page)
        await page.locator('.drawing svg.settled').waitFor()
        const found = await page.evaluate(() => {
          const frame = (document.querySelector('.drawing') as HTMLElement).getBoundingClientRect()
          return [...document.querySelectorAll<SVGGElement>('.drawing [data-member]')].map(element => {
            const sign = (element.querySelector('.sign-shape') as SVGElement).getBoundingClientRect()
            return {
              x: sign.x + sign.width / 2 - frame.x,
              y: sign.y + sign.height / 2 - frame.y,
              size: sign.width,
              width: frame.width,
              height: frame.height,
            }
          })
        })
        t.is(found.length, members)
        t.true(
          found.every(
            ({ x, y, size, width, height }) =>
              x > size / 2 && y > size / 2 && x < width - size / 2 && y < height - size / 2,
          ),
        )
        t.true(found.every(({ size }) => size >= 7))
        const touching = found.filter((a, i) =>
          found.some((b, j) => j > i && Math.hypot(a.x - b.x, a.y - b.y) < a.size),
        )
        t.deepEqual(touching, [])
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        t.true(overflow <= 0, `${overflow} px too wide`)
        t.is(await page.locator('[data-count=alive] b').textContent(), String(api.members.size))
        t.deepEqual(complaints, [])
      },
    )
  })

  test.serial(
    `with ${members} members a killed one turns and its tasks move within a second, on ${name}`,
    async t => {
      await visit({ members, tasks: members * 2, viewport }, async ({ api, page, complaints }) => {
        await live(page)
        const task = [...api.tasks.values()].find(({ copies }) => copies[0]?.node !== api.ids[0])
        const victim = task?.copies[0]?.node
        if (task === undefined || !victim) throw new Error('no task has a place')
        const turned = seenAt(page, `${drawn(victim)}[data-verdict=dead]`)
        const moved = seenAt(
          page,
          `.dot[data-copy="${task.id} 0"]:not([data-node="${victim}"])[data-phase=running]`,
        )
        const at = Date.now()
        api.kill(victim)
        t.true((await turned) - at < SEEN_WITHIN_MS)
        t.true((await moved) - at < SEEN_WITHIN_MS)
        t.is(await page.locator(`.dot[data-node="${victim}"]`).count(), 0)
        t.is(await page.locator('[data-count=dead] b').textContent(), '1')
        await page.locator('.attention .verdict[data-verdict=dead]').waitFor()
        t.deepEqual(complaints, [])
      })
    },
  )
}

test.serial('the page of every view holds on a phone without scrolling sideways', async t => {
  const views = ['#/members', '#/tasks', '#/events', '#/task/bridge-1']
  for (const hash of [...views, (api: MockApi) => `#/member/${api.ids[0]}`]) {
    await visit(
      { viewport: PHONE, hash, controls: ['kill', 'freeze', 'cut', 'revive'] },
      async ({ page, complaints }) => {
        await live(page)
        await page.locator('h2').first().waitFor()
        t.true(
          (await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0,
          String(hash),
        )
        t.deepEqual(complaints, [])
      },
    )
  }
})

const tabTo = async (page: Page, wanted: string): Promise<void> => {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab')
    const text = await page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
    )
    if (text.includes(wanted)) return
  }
  throw new Error(`80 tabs did not lead to "${wanted}"`)
}

test.serial('the keyboard alone leads from the drawing to a drain and back out of it', async t => {
  await visit({}, async ({ api, page }) => {
    await live(page)
    const self = api.ids[0] as string
    await tabTo(page, `${api.members.get(self)?.name}, this node`)
    await page.keyboard.press('Enter')
    await page.locator('#member-title').waitFor()
    await tabTo(page, 'Drain this node')
    await page.keyboard.press('Enter')
    await page.locator('.asking').waitFor()
    t.deepEqual(api.requests, [])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Drain this node' }).waitFor()
    t.deepEqual(api.requests, [])
    await page.waitForFunction(() => document.activeElement?.textContent === 'Drain this node')
    await page.keyboard.press('Enter')
    await page.locator('.asking').waitFor()
    await page.waitForFunction(() => document.activeElement?.textContent === 'Drain')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'End the drain' }).waitFor()
    t.deepEqual(api.requests, [{ method: 'POST', path: '/v1/drain', body: { on: true } }])
    t.is([...api.tasks.values()].flatMap(task => task.copies).filter(copy => copy.node === self).length, 0)
  })
})

test.serial('arrow keys go from member to member in the drawing', async t => {
  await visit({}, async ({ api, page }) => {
    await live(page)
    await page.locator('.drawing svg.settled').waitFor()
    await tabTo(page, 'this node')
    const focused = (): Promise<string | null> =>
      page.evaluate(
        () => document.activeElement?.closest('[data-member]')?.getAttribute('data-member') ?? null,
      )
    const seen = new Set([await focused()])
    for (const key of [
      'ArrowLeft',
      'ArrowDown',
      'ArrowRight',
      'ArrowUp',
      'ArrowLeft',
      'ArrowLeft',
      'ArrowDown',
    ]) {
      await page.keyboard.press(key)
      seen.add(await focused())
    }
    t.true(seen.size >= 3)
    t.true([...seen].every(id => api.ids.includes(id ?? '')))
  })
})

const MARKUP = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>'

test.serial('text from peers is text, wherever it is shown', async t => {
  const prepare = (api: MockApi): void => {
    const [id] = api.ids.slice(1)
    const member = api.members.get(id ?? '')
    if (member === undefined) throw new Error('no member')
    Object.assign(member, {
      name: MARKUP,
      labels: { zone: MARKUP },
      addrs: [MARKUP],
      runs: [MARKUP],
      health: 'failing',
      reasons: [MARKUP],
    })
    const task = [...api.tasks.values()][0]
    if (task === undefined) throw new Error('no task')
    Object.assign(task.copies[0] ?? {}, { node: null, phase: 'waiting', reason: MARKUP, lastError: MARKUP })
    task.run = { handler: MARKUP }
    api.emit('task.failed', { task: task.id, node: id, epoch: null, cause: 'exited', error: MARKUP })
    api.emit('member.dead', { member: 'gone', name: MARKUP, verdict: 'dead', cause: MARKUP })
    api.emit('state.changed', { space: MARKUP, keys: [MARKUP] })
    api.emit(MARKUP, { message: MARKUP })
  }
  for (const hash of [
    '#/',
    '#/members',
    '#/tasks',
    '#/events',
    '#/task/poll-line-1',
    (api: MockApi) => `#/member/${api.ids[1]}`,
    `#/member/${encodeURIComponent(MARKUP)}`,
  ]) {
    await visit({ prepare, hash }, async ({ page, complaints }) => {
      await live(page)
      await page.getByText('<img src=x').first().waitFor({ state: 'attached' })
      t.is(await page.locator('img').count(), 0)
      t.is(await page.locator('#app script').count(), 0)
      t.is(await page.evaluate(() => (globalThis as { broken?: number }).broken), undefined)
      t.deepEqual(complaints, [])
    })
  }
})

test.serial('a node that is gone is said to be gone, and the page comes back by itself', async t => {
  await visit({}, async ({ api, page }) => {
    await live(page)
    await api.close()
    await page.locator('[role=alert]').getByText('does not answer').waitFor()
    t.is(await page.locator('main').getAttribute('data-stale'), 'true')
    t.false(await page.getByText('All is well').isVisible())
    // What it missed is there when it is back.
    api.kill(api.ids[2] as string)
    await api.listen()
    await live(page)
    await page.locator(`${drawn(api.ids[2] as string)}[data-verdict=dead]`).waitFor()
    t.is(await page.locator('[role=alert]').count(), 0)
    await page.locator('.event').getByText('is dead').first().waitFor()
    // And the stream is alive again.
    const turned = seenAt(page, `${drawn(api.ids[3] as string)}[data-verdict=suspect]`)
    api.suspect(api.ids[3] as string)
    t.true((await turned) > 0)
  })
})

test.serial('a node without neighbors is said to be isolated', async t => {
  await visit({ prepare: api => api.setViewAge(30_000) }, async ({ api, page }) => {
    await page.locator('[role=alert]').getByText('isolated').waitFor()
    t.false(await page.getByText('All is well').isVisible())
    api.setViewAge(50)
    await live(page)
    api.emit('node.isolated', {})
    await page.locator('[data-status=isolated]').waitFor()
    api.emit('node.rejoined', {})
    await live(page)
  })
})

test.serial(
  'a token is asked for, used for everything, kept for the tab and never in the address',
  async t => {
    await visit({ token: 'the-right-one' }, async ({ page }) => {
      const field = page.getByLabel('Token', { exact: true })
      await field.fill('a wrong one')
      await page.keyboard.press('Enter')
      await page.locator('[data-status=token]').waitFor()
      await field.fill('the-right-one')
      await page.keyboard.press('Enter')
      await live(page)
      await page.reload()
      await live(page)
      t.is(await page.getByLabel('Token', { exact: true }).count(), 0)
    })
    await visit({ token: 'the-right-one', hash: '#token=the-right-one' }, async ({ page }) => {
      await live(page)
      t.false(page.url().includes('token'))
    })
  },
)

test.serial('the demo controls are there in a demo and nowhere else', async t => {
  await visit({ controls: ['kill', 'freeze', 'cut', 'revive'] }, async ({ api, page }) => {
    await live(page)
    const victim = api.ids[1] as string
    const row = page.locator('.demo-panel li').filter({ hasText: api.members.get(victim)?.name ?? '' })
    await row.getByRole('button', { name: 'Kill' }).click()
    await row.getByRole('button', { name: 'Revive' }).click()
    await page.locator(`${drawn(victim)}[data-verdict=alive]`).waitFor()
    t.deepEqual(
      api.requests.map(({ path, body }) => ({ path, body })),
      [
        { path: '/v1/demo', body: { action: 'kill', node: victim } },
        { path: '/v1/demo', body: { action: 'revive', node: victim } },
      ],
    )
  })
  await visit({}, async ({ page }) => {
    await live(page)
    t.is(await page.getByRole('button', { name: 'Kill' }).count(), 0)
  })
})

test.serial('the page of a task explains its placement and follows it when it moves', async t => {
  await visit({ hash: '#/task/poll-line-1' }, async ({ api, page }) => {
    await live(page)
    const rows = page.locator('[data-why] tbody tr')
    await rows.first().waitFor()
    t.is(await rows.count(), 5)
    const owner = api.tasks.get('poll-line-1')?.copies[0]?.node ?? ''
    const nameOf = (id: string): string => api.members.get(id)?.name ?? ''
    await page.locator('[data-why] [data-chosen=true]').getByText(nameOf(owner)).waitFor()
    api.kill(owner)
    const next = api.tasks.get('poll-line-1')?.copies[0]?.node ?? ''
    t.not(next, owner)
    await page.locator('[data-why] [data-chosen=true]').getByText(nameOf(next)).waitFor()
    await page.locator('.log').first().waitFor()
  })
})

test.serial('who cannot see the drawing has tables, headings and words for what changes', async t => {
  await visit({}, async ({ api, page }) => {
    await live(page)
    t.is(await page.getByRole('table').count(), 1)
    await page.getByRole('link', { name: 'Members', exact: true }).click()
    await page.getByRole('table', { name: /Members of the mesh/ }).waitFor()
    t.is(await page.getByRole('rowheader').count(), 5)
    // The page has to have looked once before it can tell what is new.
    await page.waitForFunction(() => document.querySelector('[aria-live]') !== null)
    const victim = api.members.get(api.ids[2] as string)
    for (let i = 0; i < 20 && !(await page.locator('[aria-live]').textContent())?.includes('dead'); i++) {
      api.kill(victim?.id ?? '')
      await page
        .locator('[aria-live]')
        .getByText('is dead')
        .waitFor({ timeout: 2_000 })
        .catch(() => {})
    }
    t.true((await page.locator('[aria-live]').textContent())?.includes(`${victim?.name} is dead`))
  })
})

test.serial('a settled page computes nothing while nothing happens', async t => {
  await visit({ members: 200, tasks: 100 }, async ({ page }) => {
    await live(page)
    await page.locator('.drawing svg.settled').waitFor()
    // The API is polled meanwhile; what it says is the same.
    const writes = await page.evaluate(
      () =>
        new Promise<number>(resolve => {
          let count = 0
          const observer = new MutationObserver(records => {
            count += records.length
          })
          observer.observe(document.querySelector('.drawing svg') as SVGElement, {
            attributes: true,
            subtree: true,
          })
          setTimeout(() => resolve(count), 3_000)
        }),
    )
    t.is(writes, 0)
  })
})
