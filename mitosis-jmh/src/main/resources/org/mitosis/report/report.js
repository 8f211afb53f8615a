// SPDX-License-Identifier: Apache-2.0
// Draws the charts of a report: each <figure> has its data in a script of JSON, as ChartJson writes it.
'use strict';
(() => {
  const looks = JSON.parse(document.getElementById('looks').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const narrow = 520;
  const drawn = [];
  const escaped = echarts.format.encodeHTML;

  const trimmed = (value) => String(Number(value.toPrecision(3)));

  const bytes = (value) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let at = 0;
    while (at + 1 < units.length && value >= 1024) {
      value /= 1024;
      at++;
    }
    return trimmed(value) + ' ' + units[at];
  };

  const milliseconds = (ms) =>
    ms < 0.001 ? trimmed(ms * 1e6) + ' ns'
      : ms < 1 ? trimmed(ms * 1e3) + ' µs'
        : ms < 1000 ? trimmed(ms) + ' ms' : trimmed(ms / 1000) + ' s';

  // A logarithmic axis is a linear one of exponents, so that its labels are at whole powers also after zooming. Where
  // there would be fewer than two of them, it is linear.
  const base = (axis) =>
    axis.scale === 'BYTES' || axis.scale === 'RATIO' ? 2
      : axis.scale === 'LOGARITHMIC' ? (axis.high / axis.low < 4 ? 0 : axis.high / axis.low < 200 ? 2 : 10)
        : axis.scale === 'PERCENTILE' ? 10 : 0;
  const isLinear = (axis) => base(axis) === 0 && axis.scale !== 'CATEGORIES';
  const place = (axis, value) => base(axis) === 0 ? value : Math.log(value) / Math.log(base(axis));
  const value = (axis, at) => base(axis) === 0 ? at : Math.pow(base(axis), at);

  const text = (axis, of) =>
    axis.scale === 'BYTES' ? bytes(of)
      : axis.scale === 'PERCENTILE' ? trimmedPercent(100 - 100 / of)
        : axis.scale === 'CATEGORIES' ? axis.categories[Math.round(of)]
          : trimmed(of);
  const trimmedPercent = (share) => Number(share.toFixed(4)) + ' %';

  const label = (axis) => (at) => {
    const whole = Math.abs(at - Math.round(at)) < 1e-6;
    if (isLinear(axis)) {
      return Math.abs(at) < 1e-12 ? '0' : String(Number(at.toPrecision(4)));
    }
    return whole ? text(axis, value(axis, Math.round(at))) ?? '' : '';
  };

  const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

  const color = (look) => look.color < 0 ? css('--text') : looks[dark.matches ? 'dark' : 'light'][look.color];

  function axisOption(axis, horizontal, width) {
    const names = axis.scale === 'CATEGORIES';
    const short = width < narrow;
    return {
      type: 'value',
      name: axis.title,
      nameLocation: horizontal ? 'middle' : 'end',
      nameGap: horizontal ? (names || short ? 62 : 30) : 12,
      nameTextStyle: {color: css('--text'), fontSize: 13, align: horizontal ? 'center' : 'left'},
      min: place(axis, axis.low),
      max: place(axis, axis.high),
      minInterval: base(axis) === 0 && !names ? undefined : 1,
      splitNumber: names ? axis.categories.length + 1 : horizontal ? (short ? 4 : 10) : 6,
      axisLabel: {
        color: css('--text'),
        fontSize: 12,
        formatter: label(axis),
        rotate: horizontal && (names || short) ? 40 : 0,
        hideOverlap: !names,
        // The range has some room around the values, which ends at no round number.
        showMinLabel: names ? true : isLinear(axis) && axis.low !== 0 ? false : undefined,
        showMaxLabel: isLinear(axis) ? false : undefined,
      },
      axisLine: {show: true, onZero: false, lineStyle: {color: css('--axis')}},
      axisTick: {show: horizontal && !names, lineStyle: {color: css('--axis')}},
      splitLine: {show: !names, lineStyle: {color: css('--grid')}},
    };
  }

  function tooltip(chart, all) {
    const lines = all.filter((one) => one.data).map((one) => {
      const point = chart.series[one.seriesIndex]?.points[one.dataIndex];
      if (!point) {
        return '';
      }
      const time = chart.y.title.endsWith(', ms');
      const y = point[4] || (time ? milliseconds(point[1]) : trimmed(point[1]));
      return one.marker + '<b>' + escaped(one.seriesName) + '</b><br>'
        + escaped(text(chart.x, point[0]) + (chart.x.scale === 'LINEAR' || chart.x.scale === 'LOGARITHMIC'
          ? ' ' + chart.x.title : '') + ': ' + y);
    });
    return lines.filter((line) => line).slice(0, 12).join('<br>');
  }

  // The points of each series come first, at the index of the series in the data; then the intervals.
  function seriesOption(chart) {
    const points = chart.series.map((one) => ({
      name: one.name,
      type: one.kind === 'DOTS' ? 'scatter' : 'line',
      data: one.points.map((point) => [place(chart.x, point[0]), place(chart.y, point[1])]),
      color: color(one.look),
      symbol: one.kind === 'LINE' || one.kind === 'DOTS' ? 'path://' + looks.markers[one.look.marker] : 'circle',
      symbolSize: one.kind === 'CURVE' || one.kind === 'LEVEL' ? 4 : 10,
      showSymbol: one.kind === 'LINE',
      lineStyle: {
        width: one.kind === 'LEVEL' ? 1.3 : 2,
        type: looks.dashes[one.look.dash].length ? looks.dashes[one.look.dash] : 'solid',
      },
      itemStyle: {opacity: 1},
      emphasis: {focus: 'series'},
      markArea: {
        silent: true,
        itemStyle: {color: color(one.look), opacity: 0.12},
        data: chart.spans.filter((span) => span.series === one.name)
          .map((span) => [{xAxis: place(chart.x, span.from)}, {xAxis: place(chart.x, span.to)}]),
      },
    }));
    const intervals = chart.series.map((one) => ({
      name: one.name,
      type: 'custom',
      silent: true,
      z: 1,
      tooltip: {show: false},
      encode: {x: 0, y: [1, 2]},
      color: color(one.look),
      data: one.points.filter((point) => point[3] > point[2])
        .map((point) => [place(chart.x, point[0]), place(chart.y, point[2]), place(chart.y, point[3])]),
      renderItem: (params, api) => {
        const low = api.coord([api.value(0), api.value(1)]);
        const high = api.coord([api.value(0), api.value(2)]);
        const line = (x1, y1, x2, y2) =>
          ({type: 'line', shape: {x1, y1, x2, y2}, style: {stroke: color(one.look), lineWidth: 1.5}});
        return {
          type: 'group',
          children: [
            line(low[0], low[1], high[0], high[1]),
            line(low[0] - 5, low[1], low[0] + 5, low[1]),
            line(high[0] - 5, high[1], high[0] + 5, high[1]),
          ],
        };
      },
    })).filter((one) => one.data.length > 0);
    return points.concat(intervals);
  }

  function option(chart, width) {
    const lines = chart.series.every((one) => one.kind === 'CURVE' || one.kind === 'LEVEL');
    return {
      animation: false,
      textStyle: {fontFamily: getComputedStyle(document.body).fontFamily},
      grid: {left: 8, right: 26, top: 44, bottom: 34, containLabel: true},
      xAxis: axisOption(chart.x, true, width),
      yAxis: axisOption(chart.y, false, width),
      legend: {show: false, data: chart.series.map((one) => one.name)},
      tooltip: {
        trigger: lines ? 'axis' : 'item',
        confine: true,
        backgroundColor: css('--card'),
        borderColor: css('--axis'),
        textStyle: {color: css('--text'), fontSize: 12},
        extraCssText: 'white-space: normal; max-width: 320px;',
        formatter: (what) => tooltip(chart, Array.isArray(what) ? what : [what]),
      },
      toolbox: {
        right: 18,
        top: 2,
        iconStyle: {borderColor: css('--muted')},
        feature: {
          dataZoom: {filterMode: 'none', title: {zoom: 'zoom into an area', back: 'zoom back'}},
          restore: {title: 'all of it'},
        },
      },
      dataZoom: [
        {type: 'inside', xAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseMove: 'ctrl',
          moveOnMouseWheel: false, preventDefaultMouseMove: false},
      ],
      series: seriesOption(chart),
    };
  }

  // A button for each series, with its line and marker: it also works by keyboard, and takes the room it needs.
  function keys(figure, chart, canvas) {
    const list = figure.querySelector('.keys');
    chart.series.forEach((one) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-pressed', 'true');
      button.innerHTML = '<svg width="34" height="14" viewBox="-17 -7 34 14" aria-hidden="true"></svg>';
      button.append(one.name);
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        canvas.dispatchAction({type: 'legendToggleSelect', name: one.name});
      });
      const highlight = (type) => () => canvas.dispatchAction({type, seriesName: one.name});
      button.addEventListener('mouseenter', highlight('highlight'));
      button.addEventListener('mouseleave', highlight('downplay'));
      list.append(button);
    });
    sample(figure, chart);
  }

  function sample(figure, chart) {
    figure.querySelectorAll('.keys svg').forEach((svg, at) => {
      const one = chart.series[at];
      const line = one.kind === 'DOTS' ? ''
        : `<path d="M-16 0H16" stroke="${color(one.look)}" stroke-width="${one.kind === 'LEVEL' ? 1.3 : 2}"`
          + ` stroke-dasharray="${looks.dashes[one.look.dash].join(' ')}"/>`;
      const marker = one.kind === 'LINE' || one.kind === 'DOTS'
        ? `<path d="${looks.markers[one.look.marker]}" transform="scale(4.5)" fill="${color(one.look)}"/>` : '';
      svg.innerHTML = line + marker;
    });
  }

  function draw(figure) {
    const chart = JSON.parse(figure.querySelector('script').textContent);
    const element = figure.querySelector('.chart');
    const canvas = echarts.init(element, null, {renderer: 'svg'});
    canvas.setOption(option(chart, element.clientWidth));
    keys(figure, chart, canvas);
    drawn.push({figure, chart, canvas, element});
  }

  function again() {
    // Colours may change before the event of a new width has come.
    drawn.forEach(({canvas}) => canvas.resize());
    drawn.forEach(({figure, chart, canvas, element}) => {
      const {series, xAxis, yAxis, tooltip: tip, toolbox, textStyle} = option(chart, element.clientWidth);
      toolbox.feature = undefined;
      canvas.setOption({series, xAxis, yAxis, tooltip: tip, toolbox, textStyle});
      sample(figure, chart);
    });
    if (waiting.length === 0) {
      done();
    }
  }

  const waiting = [...document.querySelectorAll('figure')];
  const next = () => {
    if (waiting.length > 0) {
      draw(waiting.shift());
      setTimeout(next, 0);
    } else {
      done();
    }
  };
  // For what looks at the page from outside: for which width and colours all charts are drawn.
  const done = () => {
    document.body.dataset.drawn = innerWidth + (dark.matches ? ' dark' : ' light');
  };
  next();
  dark.addEventListener('change', again);
  let resized = 0;
  addEventListener('resize', () => {
    clearTimeout(resized);
    resized = setTimeout(again, 100);
  });
  addEventListener('beforeprint', () => {
    while (waiting.length > 0) {
      draw(waiting.shift());
    }
  });
})();
