# PostgreSQL with arima_ops, pg_cron and arima_restd in one container, none of it as root.
# See "Docker" in README.md; scripts/docker-check builds it and tries it out.

FROM debian:bookworm-slim AS build
WORKDIR /src
# the packages first: they are kept as long as their list does not change
COPY scripts/install-dependencies scripts/lib.sh scripts/
RUN PG_VERSION=15 scripts/install-dependencies build
COPY scripts/pg-config scripts/embed-assets scripts/
COPY Makefile arima_ops.control ./
COPY sql sql
COPY src src
RUN make -j"$(nproc)" && make install DESTDIR=/installed

FROM debian:bookworm-slim
# The owner of the volume must be the same in every image.  What is reached from outside
# is another user, who may not read it, nor send signals to PostgreSQL.
RUN groupadd --system --gid 999 postgres && \
	useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres && \
	groupadd --system --gid 998 arima_restd && \
	useradd --system --uid 998 --gid arima_restd --home-dir /nonexistent --shell /usr/sbin/nologin arima_restd
# libcurl and the like are loaded by the extension, the others by arima_restd
RUN apt-get update && \
	mkdir -p /etc/postgresql-common/createcluster.d && \
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/image.conf && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		ca-certificates tini postgresql-15 postgresql-15-cron \
		libblas3 liblapack3 liblapacke libcurl4 libmicrohttpd12 libpq5 && \
	rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log && \
	install -d -o postgres -g postgres -m 700 /var/lib/arima_ops && \
	install -d -o postgres -g postgres -m 755 /run/postgresql && \
	install -d -o postgres -g arima_restd -m 2750 /run/arima_restd && \
	mkdir /docker-entrypoint-initdb.d
COPY --from=build /installed/ /
COPY scripts/docker/ scripts/postgrest-roles.sql /usr/local/lib/arima_ops/
# the way from one user to the other, which has no rights but this user's: nobody has to be root for it
RUN install -o arima_restd -g arima_restd -m 6755 /usr/bin/setpriv /usr/local/lib/arima_ops/as_restd

ENV PATH=/usr/lib/postgresql/15/bin:$PATH \
	LANG=C.UTF-8 \
	PGPORT=5432 \
	POSTGRES_DB=arima \
	ARIMA_RESTD_LISTEN=0.0.0.0:8000 \
	ARIMA_RESTD_STOP_TIMEOUT=5s
VOLUME /var/lib/arima_ops
EXPOSE 8000 5432
# root only for a platform that mounts the volume as root's: the entry point gives it away, and its rights up
ARG START_AS=postgres
USER $START_AS
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/local/lib/arima_ops/health"]
ENTRYPOINT ["/usr/local/lib/arima_ops/entrypoint"]
