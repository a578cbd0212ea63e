"""What a server has in common with others, if it has: a database, and an object store. Imported only with --store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_server.config import ServerConfig
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.installation import describe_install
from haleganada_server.core.measures import CommitMeasures
from haleganada_server.store import DataDirectory
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.directory import PostgresDirectory
from haleganada_server.store.postgres.shared.catalog import Catalog
from haleganada_server.store.postgres.shared.checkpoints import Checkpoints
from haleganada_server.store.postgres.shared.follower import Follower
from haleganada_server.store.postgres.shared.jobs import SharedJobs
from haleganada_server.store.postgres.shared.places import Places
from haleganada_server.store.postgres.shared.predictions import SharedPredictions
from haleganada_server.store.readings.folders import ReadingFolders

if TYPE_CHECKING:
    from haleganada_server.store.postgres.shared.snapshots import SharedSnapshots

_SWEEP_S = 600.0


class Cluster:
    """The database of a server, and what is kept with its help. close() it once."""

    def __init__(self, config: ServerConfig, own: DataDirectory) -> None:
        """Connect. own: the server's data directory. Raises Precondition."""
        self._config, self._own = config, own
        self._database = Database(config.store)
        self._followers: list[Follower] = []
        self._objects = None
        if config.objects:
            try:
                from haleganada_server.store.postgres.shared.object_store import ObjectStore

                self._objects = ObjectStore(config.objects)
            except ModuleNotFoundError as error:
                self._database.close()
                raise Precondition(
                    f"--objects needs {error.name}, which is not installed: {describe_install('cluster')}",
                    StartReason.CLUSTER_NOT_INSTALLED,
                ) from error
            except BaseException:
                self._database.close()
                raise

    def open_logs(self, embedder_hash: str, measures: CommitMeasures) -> PostgresDirectory:
        """Return the workspaces. Raises Precondition."""
        return PostgresDirectory(self._database, self._own, embedder_hash, measures, self._snapshots)

    def open_models(self, root: Path, built_in: Sequence[Path]) -> ModelFolders:
        """Return the models; those of all servers, if there is an object store."""
        if self._objects is None:
            return ModelFolders(root, self._own.temporary_file, built_in)
        from haleganada_server.store.postgres.shared.models import SharedModels

        catalog = Catalog(self._database, self._objects, "models")
        return SharedModels(root, self._own.temporary_file, built_in, catalog, self.jobs.require_lease)

    def open_datasets(self, root: Path) -> DatasetFolders:
        """Return the data sets; those of all servers, if there is an object store."""
        if self._objects is None:
            return DatasetFolders(root, self._own.temporary_file)
        from haleganada_server.store.postgres.shared.datasets import SharedDatasets

        return SharedDatasets(root, self._own.temporary_file, Catalog(self._database, self._objects, "datasets"))

    @cached_property
    def jobs(self) -> SharedJobs:
        """The jobs, which are those of all servers."""
        catalog = Catalog(self._database, self._objects, "jobs") if self._objects is not None else None
        root, temporary = self._config.data_dir / "jobs", self._own.temporary_file
        checkpoints = Checkpoints(self._database, self._objects, temporary) if self._objects is not None else None
        return SharedJobs(root, temporary, self._database, catalog, self._config.job_lease_s, checkpoints)

    @cached_property
    def _snapshots(self) -> SharedSnapshots | None:
        if self._objects is None:
            return None
        from haleganada_server.store.postgres.shared.snapshots import SharedSnapshots

        return SharedSnapshots(self._own, Catalog(self._database, self._objects, "snapshots"))

    def open_readings(
        self,
        root: Path,
        retention_s: float,
        max_bytes: int | None,
        require_room: Callable[[int], None],
    ) -> ReadingFolders:
        """Return the kept readings; those of all servers, if there is an object store."""
        if self._objects is None:
            return ReadingFolders(root, self._own.temporary_file, retention_s, max_bytes, require_room)
        from haleganada_server.store.postgres.shared.readings import KIND, SharedReadings

        catalog = Catalog(self._database, self._objects, KIND)
        temporary = self._own.temporary_file
        return SharedReadings(root, temporary, retention_s, max_bytes, require_room, self._database, catalog)

    @cached_property
    def predictions(self) -> SharedPredictions:
        """What other servers remember."""
        return SharedPredictions(self._database)

    def follow(self, *looks: Callable[[], object]) -> None:
        """Call these every second from now on, each in a thread of its own."""
        rest = () if self._snapshots is None else (self._snapshots.share_rest, self.jobs.share_checkpoints)
        self._followers = [Follower(look) for look in (*looks, *rest)]
        if self._objects is not None:
            self._followers.append(Follower(Places(self._database, self._objects).sweep, _SWEEP_S))
        for follower in self._followers:
            follower.start()

    def stop_following(self) -> None:
        """Call them no more, and answer no other servers."""
        self.predictions.close()
        for follower in self._followers:
            follower.stop()

    def close(self) -> None:
        """Close the connections."""
        self.stop_following()
        self._database.close()
