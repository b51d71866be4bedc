# simorg as an image: the wheel is built in one stage and installed into an environment that the other takes over.
#   docker build -t simorg .
#   docker run --rm -p 127.0.0.1:8080:8080 -e SIMORG_CONTROL_TOKEN=... simorg

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# the same sources give the same wheel
ARG SOURCE_DATE_EPOCH=1767225600
# where packages come from, if not from PyPI
ARG PIP_INDEX_URL
WORKDIR /src
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY wsdl wsdl
COPY fixtures fixtures
COPY simorg simorg
RUN python -m pip wheel --no-deps --wheel-dir /wheels . \
 && python -m venv --without-pip /opt/simorg \
 && python -m pip --python /opt/simorg/bin/python install "$(echo /wheels/simorg-*.whl)[postgres]"

FROM python:3.13-slim
ARG VERSION=dev
LABEL org.opencontainers.image.title="simorg" \
      org.opencontainers.image.description="A simulated Salesforce org server for integration tests" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
ENV PATH="/opt/simorg/bin:${PATH}" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin simorg \
 && install -d -o simorg -g simorg -m 0750 /var/lib/simorg
COPY --from=build /opt/simorg /opt/simorg
COPY examples/containers/healthcheck.py /opt/simorg/healthcheck.py
USER 10001:10001
WORKDIR /var/lib/simorg
EXPOSE 8080 8443 8888
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=5 \
    CMD ["python", "/opt/simorg/healthcheck.py"]
ENTRYPOINT ["simorg"]
CMD ["serve", "--host", "0.0.0.0", "--state", "/var/lib/simorg"]
