import { upload } from '../images/upload.js';
import type { Section } from '../section.js';

export const uploads: Section = {
  name: 'uploads',
  summary: 'pictures taken in, beside the S3 client writing the same bytes to the same store',
  run: upload,
};
