import { expect, test } from './kith'

test('jumps to a chat, to a person, to a command', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeFocused()
  await expect(page.getByRole('option').first()).toHaveAttribute('aria-selected', 'true')
  await kith.isAccessible()
  await page.keyboard.type('jonw')
  await expect(page.getByRole('option').first()).toContainText('Jonas Weber')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Jonas Weber', level: 1 })).toBeVisible()

  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeFocused()
  await page.keyboard.type('@hanna')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Hanna Koskinen', level: 1 })).toBeVisible()

  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeFocused()
  await page.keyboard.type('>storage')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('tab', { name: 'Storage' })).toHaveAttribute('aria-selected', 'true')
})

test('says when there is nothing of that name, and goes with Escape', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeFocused()
  await page.keyboard.type('qqqq')
  await expect(page.getByText('Nothing called “qqqq”')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('combobox')).toBeHidden()
})
