import { encodeFields } from '../commitment/fields.ts'

/**
 * Where the challenges of a receipt come from: PBKDF2-HMAC-SHA256 over everything that was committed to (Fiat and Shamir,
 * How to prove yourself, CRYPTO 1986). A prover that does not like its challenges has to commit anew and pay `iterations`
 * hashes for the next ones.
 *
 * @param head - The prover's transcript after its last commitment.
 * @returns 32 bytes, in place of the key of a verifier.
 */
export async function receiptKey(head: Uint8Array, iterations: number): Promise<Uint8Array> {
  const secret = await crypto.subtle.importKey('raw', Uint8Array.from(head), 'PBKDF2', false, ['deriveBits'])
  const salt = Uint8Array.from(encodeFields('receipt', iterations))
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, secret, 256)
  return new Uint8Array(bits)
}
