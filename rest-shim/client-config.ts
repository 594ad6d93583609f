/** What a freshly installed client asks for first. The list is applied when a workflow directory is pushed. */
import { PATHS } from '../gateway/oauth/metadata.js';
import { COMMAND_LINE_CLIENT } from '../subgraphs/accounts/oauth/oauth.contract.js';

const IGNORE_DEFAULTS = [
  // Version control and editors.
  '.git/',
  '.hg/',
  '.svn/',
  '.idea/',
  '.vscode/',
  '*.swp',
  '*~',
  // Operating systems.
  '.DS_Store',
  'Thumbs.db',
  'desktop.ini',
  // Dependencies, caches and build results.
  'node_modules/',
  '.venv/',
  'venv/',
  '__pycache__/',
  '*.pyc',
  '*.pyo',
  '.pytest_cache/',
  '.mypy_cache/',
  '.ruff_cache/',
  '.cache/',
  'dist/',
  'build/',
  'target/',
  'coverage/',
  '*.log',
  '*.tmp',
  // Secrets: a workflow can be shared, and these must never be part of one.
  '.env',
  '.env.*',
  '*.pem',
  '*.key',
  '*.p12',
  '.npmrc',
  '.netrc',
  '.pypirc',
  'id_rsa*',
  'id_ed25519*',
  'credentials.json',
];

/** The names are those that shipped clients read, from a time when somebody else answered at these addresses. */
export function clientConfig(publicUrl: string) {
  return {
    ignore_defaults: IGNORE_DEFAULTS,
    workos_client_id: COMMAND_LINE_CLIENT,
    workos_device_authorization_uri: publicUrl + PATHS.deviceAuthorization,
    workos_token_uri: publicUrl + PATHS.token,
  };
}
