-- Where in the object store the newest checkpoint of a job is that is not over, with the fence of the run that wrote it.
ALTER TABLE jobs ADD COLUMN checkpoint jsonb;
