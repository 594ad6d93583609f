import type { Bundles } from '../workflow/bundle.js';
import type { BundleFiles } from '../workflow/files.js';
import { templateNotFound } from './template.access.js';
import type { TemplateService } from './template.service.js';

/** Both ask who the caller is anew: an address of bytes is no right to them. */
export function templateFiles(templates: TemplateService, bundles: Bundles): BundleFiles {
  return {
    async list(reference, version, scope) {
      const { template, content, handle, redirectedFrom, pin } = await templates.open(scope, reference, version);
      const movedTo = redirectedFrom && `@${handle}/${template.slug}${pin === null ? '' : `@v${pin}`}`;
      return { holder: 'template', id: template._id, version: content.version, files: content.files, movedTo };
    },
    async read(reference, version, sha256, scope) {
      const { template, content } = await templates.open(scope, reference, version);
      if (!content.files.some((file) => file.sha256 === sha256)) throw templateNotFound();
      return bundles.read(template._id, sha256);
    },
  };
}
