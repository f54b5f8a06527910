/**
 * The one list of error codes. A code never changes its meaning once released.
 * Codes name the area, then the fault. Add yours in alphabetical order.
 */
export const ERROR_CODES = [
  "ADMIN_REQUEST_FAILED",
  "ASSERT_FAILED",
  "BROKER_CONFIG_INVALID",
  "CLIENT_BROKER_REFUSED",
  "CLIENT_CLOSED",
  "CLIENT_NO_ROUTE",
  "DASHBOARD_SETTINGS_INVALID",
  "HA_DIVERGED",
  "HA_PROTOCOL",
  "JSON_INVALID",
  "MESSAGE_INVALID",
  "NAMESRV_CONFIG_INVALID",
  "PROPERTIES_FILE_INVALID",
  "REMOTING_CONNECT_FAILED",
  "REMOTING_CONNECTION_CLOSED",
  "REMOTING_FRAME_INVALID",
  "REMOTING_HEADER_INVALID",
  "REMOTING_TIMEOUT",
  "STORE_CORRUPT",
  "STORE_FAILED",
  "STORE_LAYOUT_INVALID",
  "STORE_LOCKED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
