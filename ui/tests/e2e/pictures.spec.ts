import type { Locator, Page } from '@playwright/test'
import { expect, SETTINGS_PAGES, test, type Kith } from './kith'

/** The main views, as they are meant to look. `npx playwright test pictures --update-snapshots` takes them anew. */
async function settle(kith: Kith): Promise<void> {
  await kith.page.evaluate(() => document.fonts.ready)
  await kith.page.mouse.move(640, 795)
  // What lies before one's eyes is read in a moment.
  await expect(kith.page.locator('[aria-current="true"] .badge')).toHaveCount(0)
  // A read message, a highlighted text: whatever was begun is done.
  await kith.page.waitForFunction(() =>
    document
      .getAnimations()
      .every((one) => one.playState !== 'running' || one.effect?.getTiming().iterations === Infinity),
  )
  // A list of pages is where its chosen page needs it to be, whatever was clicked before.
  await kith.page.evaluate(() => {
    for (const chosen of document.querySelectorAll('[role=tab][aria-selected=true]')) {
      for (let around = chosen.parentElement; around; around = around.parentElement) around.scrollTop = 0
      chosen.scrollIntoView({ block: 'nearest', behavior: 'instant' })
    }
  })
}

/** One view, or a part of the window: the same in light and in dark. */
type View = (kith: Kith) => Promise<Locator | Page>

async function firstRun(kith: Kith, query = ''): Promise<void> {
  await kith.open(`&empty${query}`)
  await expect(kith.page.locator('form')).toBeVisible()
}

async function details(kith: Kith, chat: string, query = ''): Promise<Locator> {
  await kith.open(query)
  await kith.chat(chat)
  await kith.page.locator('main header button').last().click()
  return kith.page.locator('.panel')
}

const VIEWS: Record<string, View> = {
  'first-run': async (kith) => {
    await firstRun(kith)
    return kith.page
  },
  'first-run-arabic': async (kith) => {
    await firstRun(kith, '&language=ar')
    return kith.page
  },
  announcement: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.fake((fake) =>
      fake.relayAnnounce('home', 'The relay moves on Friday at six.\nIt is back at seven.', 7200),
    )
    await kith.chat('home/launch')
    await expect(page.getByRole('region', { name: 'Announcement' })).toBeVisible()
    return page
  },
  'newer-version': async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.fake((fake) =>
      fake.tellRelease({
        kind: 'offered',
        version: '0.2.0',
        notes: 'Chats open twice as fast.\nLinks can be copied from the menu.',
      }),
    )
    await page.getByRole('button', { name: 'What is new' }).click()
    await expect(page.getByText('Chats open twice as fast.')).toBeVisible()
    return page
  },
  'integration-made': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+,')
    await page.getByRole('tab', { name: 'Integrations' }).click()
    await page.getByLabel('Name').fill('Nightly build')
    await page.getByRole('button', { name: 'Make integration' }).click()
    await expect(page.getByRole('region', { name: '“Nightly build” is ready' })).toBeVisible()
    return page.getByRole('dialog')
  },
  'person-administered': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+,')
    await page.getByRole('tab', { name: 'People' }).click()
    await page
      .getByRole('tabpanel')
      .getByRole('button', { name: /Amina Haddad/ })
      .click()
    await expect(page.getByText('May connect')).toBeVisible()
    return page.getByRole('dialog')
  },
  'chat-kept': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+,')
    await page.getByRole('tab', { name: 'Chats' }).click()
    await page.getByRole('button', { name: 'Change what “Group 5be0cd19” keeps' }).click()
    await page.getByRole('combobox', { name: 'What the relay keeps' }).click()
    await page.getByRole('option', { name: 'kept 30 days' }).click()
    await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused()
    return page.getByRole('dialog')
  },
  'told-elsewhere': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+,')
    await page.getByRole('tab', { name: 'Notifications' }).click()
    await page.getByRole('button', { name: 'Test ntfy.lindqvist.example' }).click()
    await expect(page.getByText('ntfy.lindqvist.example took it')).toBeVisible()
    await page.getByRole('tabpanel').evaluate((panel) => panel.scrollTo(0, panel.scrollHeight))
    return page.getByRole('dialog')
  },
  'told-elsewhere-new': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+,')
    await page.getByRole('tab', { name: 'Notifications' }).click()
    await page.getByRole('button', { name: 'Add place' }).click()
    await page.getByRole('radiogroup').getByText('Web Push', { exact: true }).click()
    await page.getByLabel('Endpoint').fill('https://push.example.org/9Qb3')
    await page.getByLabel('Secret').scrollIntoViewIfNeeded()
    return page.getByRole('dialog')
  },
  'told-elsewhere-secret': async (kith) => {
    const { page } = kith
    await kith.open('&language=ar')
    await page.keyboard.press('Control+,')
    await page.locator('[data-page=notifications]').click()
    await page.getByRole('button', { name: 'أضف مكانًا' }).click()
    await page.getByRole('radiogroup').getByText('Webhook', { exact: true }).click()
    await page.getByLabel('العنوان').fill('https://studio.example/kith')
    await page.getByRole('button', { name: 'أضف مكانًا' }).click()
    await expect(page.getByText('whsec_')).toBeVisible()
    return page.getByRole('dialog')
  },
  'first-run-link': async (kith) => {
    const { page } = kith
    await firstRun(kith)
    await kith.fake((fake) => fake.holdOtherDevice())
    await page.getByText('I already have an account').click()
    await page
      .getByLabel('Link or code from your other device')
      .fill('kith://link?relay=kith.lindqvist.example&code=K7')
    await page.getByRole('button', { name: 'Link this computer' }).click()
    await expect(page.getByRole('img', { name: '4 8 1 9 2 0' })).toBeVisible()
    return page
  },
  'first-run-recover': async (kith) => {
    const { page } = kith
    await firstRun(kith)
    await page.getByText('I already have an account').click()
    await page.getByRole('button', { name: 'No device left?' }).click()
    await page.getByLabel('Recovery key').fill('WRONG')
    await page.getByLabel('Address of the relay').fill('kith.lindqvist.example')
    await page.getByRole('button', { name: 'Recover my account' }).click()
    await expect(page.getByRole('alert')).toBeVisible()
    return page
  },
  'details-group': async (kith) => {
    const panel = await details(kith, 'home/launch')
    await expect(panel.locator('li').first()).toBeVisible()
    return panel
  },
  'details-person': async (kith) => {
    const panel = await details(kith, 'home/jonas')
    await expect(panel.locator('.fingers')).toBeVisible()
    return panel
  },
  'details-arabic': async (kith) => {
    const panel = await details(kith, 'home/launch', '&language=ar')
    await expect(panel.locator('li').first()).toBeVisible()
    return panel
  },
  find: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.chat('home/jonas')
    await page.keyboard.press('Control+Shift+f')
    await expect(page.getByRole('searchbox')).toBeFocused()
    await page.keyboard.type('the')
    await expect(page.locator('[data-hit]').first()).toBeVisible()
    return page
  },
  jump: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.chat('home/launch')
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('combobox')).toBeFocused()
    await page.keyboard.type('an')
    await expect(page.locator('mark').first()).toBeVisible()
    return page.getByRole('dialog')
  },
  'new-chat': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+n')
    await expect(page.getByRole('option').first()).toBeVisible()
    return page.getByRole('dialog')
  },
  'new-group': async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+n')
    await page.getByRole('button', { name: 'New group' }).click()
    await page.getByRole('option', { name: 'Dev Patel' }).click()
    await page.getByRole('option', { name: 'Amina Haddad' }).click()
    await page.getByLabel('Name of the group').fill('Harbour walk')
    await page.locator('.sheet-body').evaluate((body) => (body.scrollTop = 0))
    return page.getByRole('dialog')
  },
  invite: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.chat('home/launch')
    await page.getByRole('button', { name: 'Your account and settings' }).click()
    await page.getByRole('menuitem', { name: 'Invite people' }).click()
    const sheet = page.getByRole('dialog', { name: 'Invite people' })
    await sheet.getByRole('button', { name: 'Make an invite' }).click()
    await expect(sheet.getByRole('img', { name: 'The invite as a QR code' })).toBeVisible()
    return sheet
  },
  menu: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.chat('home/jonas')
    await kith.line('Yes, 19:30').focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('menu')).toBeVisible()
    return page
  },
  delete: async (kith) => {
    const { page } = kith
    await kith.open()
    await kith.chat('home/jonas')
    await kith.line('Are we still on').focus()
    await page.keyboard.press('Delete')
    await expect(page.getByRole('button', { name: 'Delete for everyone' })).toBeFocused()
    return page.getByRole('dialog')
  },
  shortcuts: async (kith) => {
    const { page } = kith
    await kith.open()
    await page.keyboard.press('Control+/')
    await expect(page.getByRole('dialog')).toBeVisible()
    return page.getByRole('dialog')
  },
  narrow: async (kith) => {
    await kith.page.setViewportSize({ width: 440, height: 800 })
    await kith.open()
    await expect(kith.lines.last()).toBeVisible()
    return kith.page
  },
  'narrow-list': async (kith) => {
    await kith.page.setViewportSize({ width: 440, height: 800 })
    await kith.open()
    await expect(kith.lines.last()).toBeVisible()
    await kith.page.getByRole('button', { name: 'Back to the chats' }).click()
    return kith.page
  },
}

/** Scrolls through all of a chat, so that each line has been measured: what is guessed is off by a pixel. */
async function measure(kith: Kith): Promise<void> {
  await kith.log.evaluate(async (log) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    for (const place of [0, 300, 600, 900, 1200, 1500, 1800, 1e6, 0, 1e6]) {
      log.scrollTop = place
      for (let n = 0; n < 3; n++) await frame()
    }
  })
}

for (const scheme of ['light', 'dark'] as const) {
  test.describe(scheme, () => {
    test.use({ colorScheme: scheme })

    test('main view', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      await settle(kith)
      await expect(page).toHaveScreenshot(`main-${scheme}.png`)
    })

    test('code, lists and quotes', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      // Whoever goes up before all was read has not read it.
      await settle(kith)
      await kith.log.evaluate((log) => (log.scrollTop = 420))
      await expect(page.locator('.s-keyword').first()).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`code-${scheme}.png`)
    })

    test('right to left', async ({ kith, page }) => {
      await kith.open('&language=ar')
      await kith.chat('home/amina')
      await settle(kith)
      await expect(page).toHaveScreenshot(`right-to-left-${scheme}.png`)
    })

    test('emoji', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await page.getByRole('button', { name: 'Emoji', exact: true }).click()
      await expect(page.getByRole('button', { name: 'grinning face', exact: true })).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`emoji-${scheme}.png`)
    })

    test('offline, waiting and refused', async ({ kith, page }) => {
      await kith.open()
      await kith.chat('home/jonas')
      await kith.fake((fake) => fake.failNext())
      await kith.say('This one was refused')
      await expect(page.getByText('You have no right')).toBeVisible()
      await kith.fake((fake) => fake.goOffline())
      await kith.say('And this one waits for the network')
      await expect(page.getByRole('img', { name: 'Waits for the connection' })).toBeVisible()
      await settle(kith)
      await expect(page).toHaveScreenshot(`offline-${scheme}.png`)
    })

    test('high contrast', async ({ kith, page }) => {
      await page.emulateMedia({ contrast: 'more' })
      await kith.open()
      await kith.chat('home/launch')
      await measure(kith)
      await settle(kith)
      await expect(page).toHaveScreenshot(`contrast-${scheme}.png`)
    })

    for (const [name, open] of Object.entries(VIEWS))
      test(name, async ({ kith }) => {
        const view = await open(kith)
        await settle(kith)
        // A page and a part of one are compared by the same words, but not by the same type.
        if ('goto' in view) await expect(view).toHaveScreenshot(`${name}-${scheme}.png`)
        else await expect(view).toHaveScreenshot(`${name}-${scheme}.png`)
      })

    test('settings', async ({ kith, page }) => {
      await kith.open()
      await page.keyboard.press('Control+,')
      for (const name of SETTINGS_PAGES) {
        await page.getByRole('tab', { name }).click()
        await expect(page.getByRole('tabpanel')).not.toBeEmpty()
        await settle(kith)
        const file = `settings-${name.toLowerCase().replaceAll(' ', '-')}-${scheme}.png`
        await expect(page.getByRole('dialog')).toHaveScreenshot(file)
      }
    })
  })
}
