import { expect, SETTINGS_PAGES, test, type Kith } from './kith'

/** Each view beside the chats, opened as a person would by its key. */
const VIEWS: Record<string, (kith: Kith) => Promise<void>> = {
  'new chat': async ({ page }) => {
    await page.keyboard.press('Control+n')
    await expect(page.getByRole('option').first()).toBeVisible()
  },
  'new group': async ({ page }) => {
    await page.keyboard.press('Control+n')
    await page.locator('.ways button').first().click()
    await page.getByRole('option').nth(1).click()
    await expect(page.getByRole('list').first()).toBeVisible()
  },
  invite: async ({ page }) => {
    await page.keyboard.press('Control+n')
    await page.locator('.ways button').nth(1).click()
    await page.locator('.invite > .button').click()
    await expect(page.locator('.card svg').first()).toBeVisible()
  },
  jump: async ({ page }) => {
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('combobox')).toBeFocused()
    await page.keyboard.type('a')
    await expect(page.locator('mark').first()).toBeVisible()
  },
  find: async ({ page }) => {
    await page.keyboard.press('Control+Shift+f')
    await expect(page.getByRole('searchbox')).toBeFocused()
    await page.keyboard.type('the')
    await expect(page.locator('[data-hit]').first()).toBeVisible()
  },
  'details of a group': async ({ page }) => {
    await page.locator('main header button').last().click()
    await expect(page.locator('.panel li').first()).toBeVisible()
  },
  'details of a person': async (kith) => {
    await kith.page.keyboard.press('Control+k')
    await expect(kith.page.getByRole('combobox')).toBeFocused()
    await kith.page.keyboard.type('jonas')
    await kith.page.keyboard.press('Enter')
    await kith.page.locator('main header button').last().click()
    await expect(kith.page.locator('.fingers')).toBeVisible()
  },
}

/** How the window may be, beside light, English and its usual size. */
const CLOTHES: Record<string, { query: string; dress: (kith: Kith) => Promise<void> }> = {
  dark: { query: '', dress: async ({ page }) => page.emulateMedia({ colorScheme: 'dark' }) },
  'high contrast, right to left': {
    query: '&language=ar',
    dress: async ({ page }) => page.emulateMedia({ contrast: 'more', colorScheme: 'dark' }),
  },
  'twice as large': {
    query: '&language=de',
    dress: async ({ page }) => {
      await page.addInitScript(() => {
        addEventListener('DOMContentLoaded', () => {
          const large = new CSSStyleSheet()
          large.replaceSync(':root { font-size: 200% !important; }')
          document.adoptedStyleSheets = [large]
        })
      })
    },
  },
}

for (const [clothes, { query, dress }] of Object.entries(CLOTHES))
  for (const [view, open] of Object.entries(VIEWS))
    test(`${view}, ${clothes}: whole, and accessible`, async ({ kith, page }) => {
      await dress(kith)
      await kith.open(query)
      await expect(kith.lines.first()).toBeVisible()
      await open(kith)
      await kith.isAccessible()
      // Nothing is wider than the place that it has.
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('.panel, .panel .body, .sheet, .sheet-body')]
          .filter((element) => element.scrollWidth > element.clientWidth + 1)
          .map((element) => element.className),
      )
      expect(wide).toEqual([])
    })

for (const [clothes, { query, dress }] of Object.entries(CLOTHES))
  test(`all settings, ${clothes}: whole, and accessible`, async ({ kith, page }) => {
    test.slow()
    await dress(kith)
    await kith.open(query)
    await expect(kith.lines.first()).toBeVisible()
    await page.keyboard.press('Control+,')
    const tabs = page.getByRole('tab')
    await expect(tabs).toHaveCount(SETTINGS_PAGES.length)
    for (const tab of await tabs.all()) {
      await tab.click()
      await expect(tab).toHaveAttribute('aria-selected', 'true')
      await kith.isAccessible('.sheet')
      expect(
        await page.getByRole('tabpanel').evaluate((panel) => panel.scrollWidth <= panel.clientWidth + 1),
      ).toBe(true)
    }
  })

test('the first run, dark and high contrast', async ({ kith, page }) => {
  await page.emulateMedia({ contrast: 'more', colorScheme: 'dark' })
  await kith.open('&empty')
  await expect(page.locator('form')).toBeVisible()
  await kith.isAccessible()
})
