/**
 * Keeps ONNX Runtime from reporting home, which its Linux binaries do from version 1.29 on. The binding reads the
 * variable when the first session of the process is created, so that is when it has to be set at the latest. Somebody who
 * wants the reports sets it to 0 himself.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
}
