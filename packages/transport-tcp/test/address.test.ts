import { expect, test } from 'vitest'
import { dialable, formatAddress, type NetworkAddress, parseAddress } from '../src/address.ts'

test.each([
  ['tcp://127.0.0.1:11234', { scheme: 'tcp', host: '127.0.0.1', port: 11_234 }],
  ['tls://auditor.example:443', { scheme: 'tls', host: 'auditor.example', port: 443 }],
  ['tcp://[::1]:0', { scheme: 'tcp', host: '::1', port: 0 }],
  ['tls://[fe80::1%eth0]:65535', { scheme: 'tls', host: 'fe80::1%eth0', port: 65_535 }],
  ['unix:/run/assay.sock', { scheme: 'unix', path: '/run/assay.sock' }],
  ['unix:/with a space', { scheme: 'unix', path: '/with a space' }],
])('%s', (text, address) => {
  expect(parseAddress(text)).toEqual(address)
  expect(formatAddress(parseAddress(text))).toBe(text)
})

test.each([
  '',
  'tcp://',
  'tcp://host',
  'tcp://host:',
  'tcp://:80',
  'tcp://host:65536',
  'tcp://host:-1',
  'tcp://host:1e3',
  'tcp://host:80/',
  'tcp://host:80/path',
  'tcp://host:80?query',
  'tcp://user@host:80',
  'tcp://::1:80',
  'tcp://[::1]',
  'tcp://[nonsense]:80',
  'tcp://[127.0.0.1]:80',
  'tcp://two hosts:80',
  'TCP://host:80',
  'http://host:80',
  'unix:',
  'unix:relative.sock',
  'unix:/zero\0byte',
  `unix:/${'x'.repeat(107)}`,
])('%j is refused', (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'address-invalid' }))
})

test('an address that means every interface is dialed on this machine', () => {
  const hosts = ['tcp://0.0.0.0:1', 'tcp://[::]:1', 'tcp://10.0.0.1:1'].map(
    (text) => dialable(parseAddress(text) as NetworkAddress).host,
  )
  expect(hosts).toEqual(['127.0.0.1', '::1', '10.0.0.1'])
})
