/* heloise-client: what the package offers.
 * SPDX-License-Identifier: Apache-2.0 */
export { Heloise } from './heloise.js';
export { HeloiseError, HeloiseUnreachable } from './errors.js';
export { verifyWebhook, WebhookError } from './webhook.js';
