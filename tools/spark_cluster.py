"""A stand-alone Spark cluster on this machine, of the pyspark package: a master, two workers and a Thrift server.

    spark_cluster.py up|down FOLDER

For tests and for trying what a cluster changes. Everything listens on 127.0.0.1 only; logs, process ids, catalog and
tables lie in FOLDER. Point a run at it with METRIC_STORE_ENGINE=spark SPARK_THRIFT_HOST=127.0.0.1.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MASTER_PORT = 7077
THRIFT_PORT = int(os.environ.get("SPARK_THRIFT_PORT") or 10000)
#: Of each worker and of its one executor: small, because all of them share a machine with the run.
CORES, MEMORY = 1, "2g"


def up(folder: Path) -> None:
    """Start what isn't running, and wait until the Thrift server answers."""
    folder.mkdir(parents=True, exist_ok=True)
    master = f"spark://127.0.0.1:{MASTER_PORT}"
    deploy = "org.apache.spark.deploy"
    _start(
        folder,
        "master",
        _spark_class(f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", MASTER_PORT, "--webui-port", 0),
    )
    _wait_for(folder, "master", MASTER_PORT)
    for number in (1, 2):
        name = f"worker-{number}"
        limits = ("--cores", CORES, "--memory", MEMORY, "--work-dir", folder / name)
        _start(
            folder,
            name,
            _spark_class(f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--webui-port", 0, *limits, master),
        )
    settings = {
        "spark.master": master,
        "spark.executor.memory": MEMORY,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": MEMORY,
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": 4 * CORES,
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.local.dir": folder / "scratch",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
        "spark.hadoop.hive.server2.thrift.port": THRIFT_PORT,
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={folder / 'derby.log'}",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
    _start(folder, "thrift-server", [_spark() / "bin" / "spark-submit", "--class", server, *options, "spark-internal"])
    _wait_for(folder, "thrift-server", THRIFT_PORT)
    print(f"Spark's Thrift server answers on 127.0.0.1:{THRIFT_PORT}; logs are in {folder}.")


def down(folder: Path) -> None:
    """Stop what this script started, the last one first."""
    for name in ("thrift-server", "worker-2", "worker-1", "master"):
        if (pid := _pid(folder, name)) is not None:
            os.killpg(pid, signal.SIGTERM)
            for _ in range(100):
                if _pid(folder, name) is None:
                    break
                time.sleep(0.1)
            else:
                os.killpg(pid, signal.SIGKILL)
        (folder / f"{name}.pid").unlink(missing_ok=True)


def _spark() -> Path:
    package = importlib.util.find_spec("pyspark")
    if package is None or package.origin is None:
        sys.exit("pyspark isn't installed. Install the extra: pip install '.[spark]'.")
    return Path(package.origin).parent


def _spark_class(name: str, *arguments: object) -> list[object]:
    return [_spark() / "bin" / "spark-class", name, *arguments]


def _start(folder: Path, name: str, command: Sequence[object]) -> None:
    if _pid(folder, name) is not None:
        return
    environment = {
        **os.environ,
        "SPARK_HOME": str(_spark()),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "512m",
        # on a busy machine a worker may be late with its heartbeat; its web server for jobs from outside isn't wanted
        "SPARK_MASTER_OPTS": "-Dspark.worker.timeout=240 -Dspark.master.rest.enabled=false",
        "PYSPARK_PYTHON": sys.executable,
    }
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (folder / f"{name}.pid").write_text(str(process.pid))


def _pid(folder: Path, name: str) -> int | None:
    """The process of that name, if it is running and is one of Spark's."""
    try:
        pid = int((folder / f"{name}.pid").read_text())
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    except (OSError, ValueError):
        return None
    command = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return pid if "spark" in command else None


def _wait_for(folder: Path, name: str, port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if _pid(folder, name) is None:
                break
            time.sleep(0.5)
    last = (folder / f"{name}.log").read_text().splitlines()[-3:]
    sys.exit(f"Spark's {name} didn't start, see {folder / name}.log:\n" + "\n".join(last))


if __name__ == "__main__":
    commands = {"up": up, "down": down}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](Path(sys.argv[2]).resolve())
