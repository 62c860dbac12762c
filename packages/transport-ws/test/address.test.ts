import { expect, test } from 'vitest'
import { dialable, formatAddress, parseAddress } from '../src/address.ts'

test.each([
  ['ws://localhost:11234', { scheme: 'ws', host: 'localhost', port: 11234, path: '/' }],
  ['ws://127.0.0.1:0/audit', { scheme: 'ws', host: '127.0.0.1', port: 0, path: '/audit' }],
  ['wss://auditor.example:8443/a/b', { scheme: 'wss', host: 'auditor.example', port: 8443, path: '/a/b' }],
  ['ws://[::1]:65535', { scheme: 'ws', host: '[::1]', port: 65535, path: '/' }],
])('%s is parsed, and formatted as it was', (address, expected) => {
  expect(parseAddress(address)).toEqual(expected)
  expect(formatAddress(parseAddress(address))).toBe(address)
})

test.each([
  ['ws://auditor', 'ws://auditor:80'],
  ['ws://auditor:80/', 'ws://auditor:80'],
  ['wss://auditor/audit', 'wss://auditor:443/audit'],
  ['ws://AUDITOR:1/Audit', 'ws://auditor:1/Audit'],
  ['ws://auditor:1/a/../b', 'ws://auditor:1/b'],
])('%s means %s', (address, expected) => {
  expect(formatAddress(parseAddress(address))).toBe(expected)
})

test.each([
  '',
  'auditor',
  'auditor:1',
  'http://auditor:1',
  'tcp://auditor:1',
  'ws:auditor:1',
  'ws:/auditor:1',
  'ws:///audit',
  'ws://',
  'ws://:1',
  'ws://auditor:65536',
  'ws://auditor:x',
  'ws://auditor:-1',
  'ws://::1:1',
  'ws://[::1:1',
  'ws://[::g]:1',
  'ws://name@auditor:1',
  'ws://name:secret@auditor:1',
  'ws://auditor:1/?token=secret',
  'ws://auditor:1/audit?',
  'ws://auditor:1/#part',
  'ws://auditor:1/a b',
  'ws://auditor:1\n',
  'ws://auditor:1\\audit',
  ' ws://auditor:1',
])('%j is address-invalid', (address) => {
  expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: 'address-invalid' }))
})

test('every interface is dialed as this machine', () => {
  expect(formatAddress(dialable(parseAddress('ws://0.0.0.0:1/a')))).toBe('ws://127.0.0.1:1/a')
  expect(formatAddress(dialable(parseAddress('wss://[::]:1')))).toBe('wss://[::1]:1')
  expect(formatAddress(dialable(parseAddress('ws://auditor:1')))).toBe('ws://auditor:1')
})
