"""The map, selections, search and pictures."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from monitor.failures import Failure
from monitor.images import DecodedImage
from monitor.store.lines import FeatureLine
from monitor.web import search
from monitor.web.cloud import Cloud
from monitor.web.clouds import Building
from monitor.web.density import density_png
from monitor.web.exports import as_csv, as_json, as_parquet
from monitor.web.models import (
    CodesOut,
    FeatureId,
    Instant,
    MapOut,
    Point,
    Problem,
    RowOut,
    SelectionOut,
    TraitOut,
    WindowOut,
)
from monitor.web.selection import Chosen, parse_polygon, select
from monitor.web.services import Services, visitor_of

MOST_ROWS: Final = 500
_MOST_EXPORTED: Final = 1_000_000
_NUMBERS: Final = "application/octet-stream"
Side = Literal["baseline", "window"]
PictureKey = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Span(BaseModel):
    """Which windows are on the map: those that start in [since, until)."""

    model_config = ConfigDict(extra="forbid")

    since: Instant
    until: Instant


class OfColumn(Span):
    """A metadata column of the map's points."""

    column: str = Field(max_length=200)


class Asked(Span):
    """Which of the map's points are meant: those that fulfil all that is given."""

    polygon: str = Field(default="", max_length=20_000, description='Corners: "x,y;x,y;x,y".')
    side: Side | None = None
    cluster: int | None = Field(default=None, ge=0, lt=65_536)
    column: str | None = Field(default=None, max_length=200)
    value: str | None = Field(default=None, max_length=500)
    novel: bool = False
    hidden: str = Field(
        default="", max_length=4_000, description="What the legend hides: cluster:3,4."
    )

    @property
    def chosen(self) -> Chosen:
        """The same for the cloud."""
        polygon = parse_polygon(self.polygon)
        return Chosen(
            polygon, self.side, self.cluster, self.column, self.value, self.novel, self.hidden
        )


class AskedRows(Asked):
    """The same, and how many rows are shown."""

    n: int = Field(default=60, ge=0, le=MOST_ROWS)
    first: int = Field(default=0, ge=0, le=2**31)


class Search(Span):
    """Where is searched, and how many rows are wanted."""

    n: int = Field(default=60, ge=1, le=search.MOST)
    side: Side | None = None


class SearchText(Search):
    """What is looked for."""

    text: str = Field(min_length=1, max_length=search.LONGEST_TEXT)


def router(services: Services) -> APIRouter:
    """The routes of the map below `/api/features/ID`."""
    store = services.site.store
    routes = APIRouter(
        prefix="/api/features/{feature}",
        responses={
            code: {"model": Problem} for code in (400, 401, 403, 404, 409, 422, 429)
        },
    )  # fmt: skip

    def line_of(feature: int) -> FeatureLine:
        with store.reading() as connection:
            return services.feature(connection, feature)

    def cloud_of(feature: int, span: Span) -> Cloud:
        try:
            return services.clouds.get(line_of(feature), span.since, span.until, patience=60)
        except Building as work:
            raise HTTPException(
                409, f"the map is being made, {work.done} of {work.total} parts: ask again"
            ) from None

    def count_search(request: Request) -> None:
        if not services.searches.allows(visitor_of(request).name):
            raise HTTPException(429, "too many searches: wait a minute")

    def like_image(
        feature: int, decoded: DecodedImage | Failure | None, asked: Search
    ) -> list[RowOut]:
        described = _feature(services, line_of(feature))
        if decoded is None:
            raise HTTPException(404, "no page has named this picture")
        if isinstance(decoded, Failure):
            raise HTTPException(422, f"this is no picture that can be read: {decoded.meaning}")
        cloud = cloud_of(feature, asked)
        vector = search.image_vector(described, decoded.image)
        return list(services.rows(cloud, search.nearest(cloud, vector, asked.n, side=asked.side)))

    @routes.get("/map")
    def cloud_map(feature: FeatureId, span: Annotated[Span, Query()]) -> MapOut:
        """What is on the map; `building` while its index is made, so that it is asked again."""
        line = line_of(feature)
        try:
            cloud = services.clouds.get(line, span.since, span.until)
        except Building as work:
            return MapOut(state="building", done=work.done, total=work.total)
        with store.reading() as connection:
            shown = [placed.window for placed in cloud.parts if placed.window is not None]
            windows: tuple[WindowOut, ...] = services.windows(connection, line, shown)
        return MapOut(
            state="ready",
            key=cloud.key,
            n=len(cloud),
            n_all=cloud.n_all,
            n_baseline=int((~cloud.is_window).sum()),
            windows=windows,
            clusters=tuple(f"cluster {k}" for k in range(cloud.baseline.n_clusters)),
            columns=cloud.columns,
            can_search=search.can_search(services.site.features.get(line.name)),
        )

    @routes.get("/map/points/{name}", response_class=Response)
    def points(
        feature: FeatureId,
        name: Literal["xy", "side", "window", "cluster", "novelty"],
        span: Annotated[Span, Query()],
    ) -> Response:
        """A column of the map's points, as little-endian numbers (see `MapOut`)."""
        cloud = cloud_of(feature, span)
        return _numbers(_column(cloud, name), cloud)

    @routes.get("/map/codes")
    def codes(feature: FeatureId, span: Annotated[OfColumn, Query()]) -> CodesOut:
        """The categories of a metadata column."""
        return CodesOut(names=cloud_of(feature, span).codes(span.column).names)

    @routes.get("/map/values", response_class=Response)
    def values(feature: FeatureId, span: Annotated[OfColumn, Query()]) -> Response:
        """The category of each point, as uint8."""
        cloud = cloud_of(feature, span)
        return _numbers(cloud.codes(span.column).values, cloud)

    @routes.get("/map/density.png", response_class=Response)
    def density(feature: FeatureId, span: Annotated[Span, Query()]) -> Response:
        """The map as a picture: the baseline grey, the windows orange."""
        return Response(density_png(cloud_of(feature, span)), media_type="image/png")

    @routes.get("/map/rows/{point}")
    def row(feature: FeatureId, point: Point, span: Annotated[Span, Query()]) -> RowOut:
        """One point's row."""
        cloud = cloud_of(feature, span)
        _check_point(cloud, point)
        return services.rows(cloud, [point])[0]

    @routes.get("/selection")
    def selection(feature: FeatureId, asked: Annotated[AskedRows, Query()]) -> SelectionOut:
        """Selected rows, what sets them apart, and some of them: those of windows and far out first."""
        cloud = cloud_of(feature, asked)
        selected = select(cloud, asked.chosen)
        order = np.lexsort((-cloud.distance[selected.points], ~cloud.is_window[selected.points]))
        shown = selected.points[order][asked.first : asked.first + asked.n]
        return SelectionOut(
            n=len(selected.points),
            n_baseline=selected.n_baseline,
            n_window=selected.n_window,
            traits=tuple(
                TraitOut(
                    what=t.what,
                    value=t.value,
                    share=t.share,
                    share_of_others=t.share_of_others,
                    lift=t.lift if math.isfinite(t.lift) else None,
                )
                for t in selected.traits
            ),
            rows=services.rows(cloud, shown.tolist()),
        )

    @routes.get("/selection/points", response_class=Response)
    def selected_points(feature: FeatureId, asked: Annotated[Asked, Query()]) -> Response:
        """The selection as a bit mask over the map's points, the first point in the lowest bit."""
        cloud = cloud_of(feature, asked)
        return _numbers(np.packbits(asked.chosen.mask(cloud), bitorder="little"), cloud)

    @routes.get("/selection.{form}", response_class=Response)
    def export_as(
        feature: FeatureId,
        form: Literal["csv", "json", "parquet"],
        asked: Annotated[Asked, Query()],
    ) -> Response:
        """All selected rows as a file, with their labels, so that they are found again."""
        cloud = cloud_of(feature, asked)
        points = select(cloud, asked.chosen).points[:_MOST_EXPORTED]
        headers = {"content-disposition": f'attachment; filename="selection.{form}"'}
        if form == "csv":
            return StreamingResponse(as_csv(cloud, points), media_type="text/csv", headers=headers)
        if form == "json":
            return StreamingResponse(
                as_json(cloud, points), media_type="application/json", headers=headers
            )
        return Response(as_parquet(cloud, points), media_type=_NUMBERS, headers=headers)

    @routes.get("/search")
    def search_text(
        request: Request,
        feature: FeatureId,
        asked: Annotated[SearchText, Query()],
    ) -> list[RowOut]:
        """The rows whose pictures are most like a text, by the feature's own model."""
        count_search(request)
        line = line_of(feature)
        cloud = cloud_of(feature, asked)
        vector = search.text_vector(_feature(services, line), asked.text)
        return list(services.rows(cloud, search.nearest(cloud, vector, asked.n, side=asked.side)))

    @routes.get("/search/like/{point}")
    def search_like(
        request: Request, feature: FeatureId, point: Point, asked: Annotated[Search, Query()]
    ) -> list[RowOut]:
        """The rows that are most like another one, itself first."""
        count_search(request)
        cloud = cloud_of(feature, asked)
        _check_point(cloud, point)
        vector = search.point_vector(cloud, point)
        return list(services.rows(cloud, search.nearest(cloud, vector, asked.n, side=asked.side)))

    @routes.get("/search/picture/{key}")
    def search_picture(
        request: Request, feature: FeatureId, key: PictureKey, asked: Annotated[Search, Query()]
    ) -> list[RowOut]:
        """The rows whose pictures are most like one that a page has named, by its id."""
        count_search(request)
        return like_image(feature, services.pictures.whole(key), asked)

    @routes.post("/search/image")
    def search_image(
        request: Request, feature: FeatureId, file: UploadFile, asked: Annotated[Search, Query()]
    ) -> list[RowOut]:
        """The rows whose pictures are most like an uploaded one, which is kept nowhere."""
        count_search(request)
        return like_image(feature, services.pictures.decode(file.file.read()), asked)

    return routes


def pictures_router(services: Services) -> APIRouter:
    """Pictures by id, re-encoded."""
    routes = APIRouter(responses={code: {"model": Problem} for code in (401, 404, 422)})

    @routes.get("/thumb/{key}", response_class=Response)
    def thumb(key: str) -> Response:
        """A small picture of a row that a page has named, as WebP."""
        return _picture(services.pictures.small(key))

    @routes.get("/image/{key}", response_class=Response)
    def image(key: str) -> Response:
        """The whole picture, no side longer than 1,600 pixels."""
        return _picture(services.pictures.large(key))

    return routes


def _feature(services: Services, line: FeatureLine) -> Any:
    feature = services.site.features.get(line.name)
    if not search.can_search(feature):
        raise HTTPException(
            422, f"{line.name!r} has ready-made vectors: look for rows that are like another row"
        )
    return feature


def _check_point(cloud: Cloud, point: int) -> None:
    if point >= len(cloud):
        raise HTTPException(404, f"the map has no point {point}")


def _picture(picture: bytes | Failure | None) -> Response:
    if picture is None:
        return JSONResponse({"detail": "no page has named this picture"}, 404)
    if isinstance(picture, Failure):
        return JSONResponse({"detail": picture.meaning, "reason": picture.reason}, 404)
    headers = {"cache-control": "private, max-age=86400, immutable"}
    return Response(picture, media_type="image/webp", headers=headers)


def _numbers(values: np.ndarray[Any, Any], cloud: Cloud) -> Response:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    headers = {"cache-control": "private, max-age=300", "x-points": str(len(cloud))}
    return Response(little.tobytes(), media_type=_NUMBERS, headers=headers)


def _column(cloud: Cloud, name: str) -> np.ndarray[Any, Any]:
    if name == "xy":
        whole = np.round((cloud.xy.T + 1) * (65_535 / 2))
        return np.ascontiguousarray(whole).astype(np.uint16)
    if name == "side":
        return cloud.is_window.astype(np.uint16)
    if name == "novelty":
        return np.minimum(cloud.distance * 1_000, 65_535).astype(np.uint16)
    values: np.ndarray[Any, Any] = cloud.window if name == "window" else cloud.cluster
    return values
