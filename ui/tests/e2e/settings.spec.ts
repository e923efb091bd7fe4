import { expect, SETTINGS_PAGES, test, type Kith } from './kith'

async function settings(kith: Kith, page: string, query = ''): Promise<void> {
  await kith.open(query)
  await kith.page.keyboard.press('Control+,')
  await kith.page.getByRole('tab', { name: page }).click()
}

test('every page is reached by keyboard, and axe finds nothing on it', async ({ kith, page }) => {
  await kith.open()
  await page.keyboard.press('Control+,')
  await expect(page.getByRole('tab', { name: 'Profile' })).toBeFocused()
  for (const name of SETTINGS_PAGES) {
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true')
    await expect(page.getByRole('tabpanel')).not.toBeEmpty()
    await kith.isAccessible()
    await page.keyboard.press('ArrowDown')
  }
})

test('a taken handle is refused where it was written; a name is saved', async ({ kith, page }) => {
  await settings(kith, 'Profile')
  const panel = page.getByRole('tabpanel')
  await panel.getByLabel('Handle').fill('jonas')
  await panel.getByRole('button', { name: 'Save' }).click()
  await expect(panel.getByRole('alert')).toContainText('Somebody else has that handle')
  await panel.getByLabel('Handle').fill('mira')
  await panel.getByLabel('Name').fill('Mira L.')
  await panel.getByRole('button', { name: 'Save' }).click()
  await expect(panel.getByText('Saved')).toBeVisible()
})

test('signs a device out after asking', async ({ kith, page }) => {
  await settings(kith, 'Devices')
  const panel = page.getByRole('tabpanel')
  await expect(panel.getByText('This device')).toBeVisible()
  await panel.getByRole('button', { name: 'Sign out' }).last().click()
  await expect(panel.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('tabpanel')).toBeVisible()
  await panel.getByRole('button', { name: 'Sign out' }).last().click()
  await panel.getByRole('group').getByRole('button', { name: 'Sign out' }).click()
  await expect(panel.getByText('Signed out', { exact: true })).toBeVisible()
})

test('links another device: code, digits, confirmation', async ({ kith, page }) => {
  await settings(kith, 'Devices')
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Link a device' }).click()
  // The pretended other device answers soon: the code itself may be gone before it is looked for.
  await expect(panel.getByRole('img', { name: '4 8 1 9 2 0' })).toBeVisible()
  await kith.isAccessible()
  await panel.getByRole('button', { name: 'They are the same' }).click()
  await expect(panel.getByText('“Studio PC” is linked')).toBeVisible()
  await expect(panel.getByText('Studio PC', { exact: true })).toBeVisible()
})

test('a recovery key is shown once', async ({ kith, page }) => {
  await settings(kith, 'Devices')
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Replace' }).click()
  await panel.getByRole('group').getByRole('button', { name: 'Replace' }).click()
  await expect(panel.getByText('7KQ2M-XH9DR-TBWV4')).toBeVisible()
  await panel.getByRole('button', { name: 'I have written it down' }).click()
  await expect(panel.getByText('7KQ2M-XH9DR-TBWV4')).toBeHidden()
})

test('the self-test names the time of each step', async ({ kith, page }) => {
  await settings(kith, 'Notifications')
  const panel = page.getByRole('tabpanel')
  await panel.getByText('Name only').click()
  await expect(panel.getByRole('img', { name: 'What it looks like' })).not.toContainText('harbour')
  await panel.getByRole('button', { name: 'Test now' }).click()
  await expect(panel.getByText('Everything works. All together: 122 ms.')).toBeVisible()
  await expect(panel.getByRole('listitem').filter({ hasText: 'relay has stored' })).toContainText('14 ms')
  await kith.isAccessible()
})

test('what the system says of notifications is said, and asked for with a reason', async ({ kith, page }) => {
  await kith.open()
  await kith.fake((fake) => (fake.access = 'unasked'))
  await page.keyboard.press('Control+,')
  await page.getByRole('tab', { name: 'Notifications' }).click()
  await kith.isAccessible()
  await page.getByRole('button', { name: 'Allow notifications…' }).click()
  await expect(page.getByRole('button', { name: 'Allow notifications…' })).toBeHidden()
  await kith.fake((fake) => (fake.access = 'denied'))
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await expect(page.getByText('The settings of your system forbid')).toBeVisible()
  await kith.isAccessible()
})

test('told elsewhere: a webhook is added, its secret shown once, it is tested and removed', async ({
  kith,
  page,
}) => {
  await kith.open()
  await kith.fake((fake) => fake.forgetPlaces())
  await page.keyboard.press('Control+,')
  await page.getByRole('tab', { name: 'Notifications' }).click()
  const panel = page.getByRole('tabpanel')
  await expect(panel.getByText('You are told nowhere else yet')).toBeVisible()
  await panel.getByRole('button', { name: 'Add place' }).click()
  await panel.getByText('Webhook', { exact: true }).click()
  await expect(panel.getByRole('button', { name: 'Add place' })).toBeDisabled()
  await panel.getByLabel('Address').fill('studio.example')
  await panel.getByRole('button', { name: 'Add place' }).click()
  await expect(panel.getByRole('alert')).toContainText('no address of the form https://host/path')
  await panel.getByLabel('Address').fill('https://studio.example/kith')
  await kith.isAccessible()
  await panel.getByRole('button', { name: 'Add place' }).click()
  const made = panel.getByRole('region', { name: 'The secret of your webhook' })
  await expect(made).toBeFocused()
  await kith.isAccessible()
  await made.getByRole('button', { name: 'Copy' }).click()
  expect(await page.evaluate(() => window.fake.clipboard)).toMatch(/^whsec_/)
  await made.getByRole('button', { name: 'I have copied it' }).click()
  await expect(panel.getByText('whsec_')).toBeHidden()
  await panel.getByRole('button', { name: 'Test studio.example' }).click()
  await expect(panel.getByText('studio.example took it')).toBeVisible()
  await panel.getByRole('button', { name: 'Remove studio.example' }).click()
  await panel.getByRole('group').getByRole('button', { name: 'Remove' }).click()
  await expect(panel.getByText('You are told nowhere else yet')).toBeVisible()
})

test('each kind of place asks for what it takes', async ({ kith, page }) => {
  await settings(kith, 'Notifications')
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Add place' }).click()
  const kinds = panel.getByRole('radiogroup', { name: 'Kind of place' })
  for (const [kind, fields] of [
    ['ntfy', { Address: 'https://ntfy.example/topic' }],
    ['Web Push', { Endpoint: 'https://push.example/1', 'Public key': 'BNcR', Secret: 'tBHI' }],
    [
      'Pusher',
      { Address: 'https://pusher.example', 'App id': '1', Key: 'k', Secret: 's', Channel: 'private-me' },
    ],
    ['Webhook', { Address: 'https://hook.example' }],
  ] as const) {
    await kinds.getByText(kind, { exact: true }).click()
    for (const [label, value] of Object.entries(fields)) {
      await expect(panel.getByRole('button', { name: 'Add place' })).toBeDisabled()
      await panel.getByLabel(label).fill(value)
    }
    await expect(panel.getByRole('button', { name: 'Add place' })).toBeEnabled()
    await kith.isAccessible()
  }
})

test('a place that fails says why; when and what is told is chosen', async ({ kith, page }) => {
  await settings(kith, 'Notifications')
  const panel = page.getByRole('tabpanel')
  await expect(panel.getByText('The last one did not get there')).toContainText('503')
  await panel.getByRole('button', { name: 'Test studio.example' }).click()
  await expect(panel.getByRole('alert')).toContainText('503')
  await panel.getByRole('combobox', { name: 'How long to wait' }).click()
  await page.getByRole('option', { name: '5 minutes', exact: true }).click()
  await expect(panel.getByRole('combobox', { name: 'How long to wait' })).toContainText('5 minutes')
  const sender = panel.getByRole('switch', { name: 'Say who wrote' })
  await sender.click()
  await expect(sender).toBeChecked()
})

test('a relay that tells nobody elsewhere is said to', async ({ kith, page }) => {
  await kith.open()
  await kith.fake((fake) => (fake.pushError = 'version'))
  await page.keyboard.press('Control+,')
  await page.getByRole('tab', { name: 'Notifications' }).click()
  await expect(page.getByText('may be older than this app')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Add place' })).toHaveCount(0)
})

test('theme, density and size of text show at once', async ({ kith, page }) => {
  await settings(kith, 'Appearance')
  const root = page.locator('html')
  await page.getByRole('radio', { name: 'Dark' }).check({ force: true })
  await expect(root).toHaveAttribute('data-theme', 'dark')
  await page.getByRole('radio', { name: 'High contrast' }).check({ force: true })
  await expect(root).toHaveAttribute('data-contrast', 'high')
  await kith.isAccessible()
  await page.getByRole('radio', { name: 'Compact' }).check({ force: true })
  await expect(root).toHaveAttribute('data-density', 'compact')
  for (let step = 0; step < 10; step++) await page.getByRole('button', { name: 'Larger' }).click()
  await expect(page.getByRole('button', { name: 'Larger' })).toBeDisabled()
  await expect(root).toHaveCSS('font-size', '32px')
  await kith.isAccessible()
})

test('another language speaks at once, from right to left', async ({ kith, page }) => {
  await settings(kith, 'Language')
  await page.getByRole('radio', { name: 'العربية' }).check({ force: true })
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl')
  await expect(page.getByRole('tab', { name: 'اللغة' })).toBeVisible()
  await kith.isAccessible()
})

test('storage shrinks and is exported; the log is exported', async ({ kith, page }) => {
  await settings(kith, 'Storage')
  const panel = page.getByRole('tabpanel')
  await expect(panel.getByText('84.2 MB')).toBeVisible()
  await panel.getByRole('button', { name: 'Compact' }).click()
  await expect(panel.getByRole('status')).toContainText('Made smaller by 51.7 MB')
  await panel.getByRole('button', { name: 'Export…' }).click()
  await expect(panel.getByRole('status')).toContainText('kith-messages.json')
  await page.getByRole('tab', { name: 'Connection' }).click()
  await expect(panel.getByText('23 ms')).toBeVisible()
  await panel.getByRole('button', { name: 'Export…' }).click()
  await expect(panel.getByRole('status')).toContainText('kith.log')
})

test('a newer version is offered quietly, shown, fetched, and put in place', async ({ kith, page }) => {
  await settings(kith, 'About')
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'Look for updates' }).click()
  await expect(panel.getByText('Kith knows of no newer version')).toBeVisible()
  await expect(panel.getByRole('button', { name: 'Look for updates' })).toBeEnabled()
  await kith.fake(
    (fake) => (fake.newer = { version: '0.2.0', notes: 'Letters are larger.\nThe tray is quicker.' }),
  )
  await panel.getByRole('button', { name: 'Look for updates' }).click()
  await expect(panel.getByText('Kith 0.2.0 is there')).toBeVisible()
  await expect(panel.getByText('Letters are larger.')).toBeVisible()
  await kith.isAccessible()

  await page.keyboard.press('Escape')
  const line = page.getByRole('status').filter({ hasText: 'Kith 0.2.0 is there' })
  await expect(line).toBeVisible()
  await kith.isAccessible()
  await line.getByRole('button', { name: 'What is new' }).click()
  await expect(page.getByRole('tab', { name: 'About' })).toHaveAttribute('aria-selected', 'true')

  await kith.fake((fake) => (fake.installFails = 'updateUntrusted'))
  await panel.getByRole('button', { name: 'Install and start anew' }).click()
  await expect(panel.getByRole('alert')).toContainText('not what the makers of Kith signed')
  await kith.isAccessible()
  await kith.fake((fake) => (fake.installFails = null))
  await panel.getByRole('button', { name: 'Install and start anew' }).click()
  await expect(panel.getByRole('alert')).toBeHidden()
  await expect(panel.getByText('Kith starts anew')).toBeVisible()
})

test('who does not update itself says who does', async ({ kith, page }) => {
  await settings(kith, 'About')
  const panel = page.getByRole('tabpanel')
  await kith.fake((fake) => fake.tellRelease({ kind: 'keptBySystem' }))
  await expect(panel.getByText('package manager keeps Kith up to date')).toBeVisible()
  await expect(panel.getByRole('button', { name: 'Look for updates' })).toBeHidden()
  await kith.fake((fake) => fake.tellRelease({ kind: 'arriving', version: '0.2.0', percent: 40 }))
  await expect(panel.getByRole('progressbar')).toHaveAttribute('value', '40')
  await kith.isAccessible()
})
