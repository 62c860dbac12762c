import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

export interface Certificate {
  readonly key: string
  readonly cert: string
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string
}

let serial = 0

/** A certificate for 127.0.0.1, ::1 and localhost, or for `host` alone. */
export async function certificate(host?: string): Promise<Certificate> {
  const names = [
    { type: 2 as const, value: 'localhost' },
    { type: 7 as const, ip: '127.0.0.1' },
    { type: 7 as const, ip: '::1' },
  ]
  const altNames = host === undefined ? names : [{ type: 2 as const, value: host }]
  const made = await generate([{ name: 'commonName', value: `assay ${++serial}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  })
  return { key: made.private, cert: made.cert, fingerprint: new X509Certificate(made.cert).fingerprint256 }
}
