# One image for every part: the command says which (api, worker, gateway, migrate).
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt

# The sandbox provider keeps its store in /data.
RUN useradd --system --uid 10001 --no-create-home checkout && install --directory --owner checkout /data

COPY . .
USER checkout
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "cli.py"]
CMD ["--help"]
