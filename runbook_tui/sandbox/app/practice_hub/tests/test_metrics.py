import unittest

from ..metrics import Counter, Histogram


class Text(unittest.TestCase):
    def test_a_counter_counts_by_label(self) -> None:
        counter = Counter("errors_total", "Errors", ("type",))
        counter.add("a")
        counter.add("a")
        counter.add('b"')
        self.assertEqual(
            counter.lines()[2:], ['errors_total{type="a"} 2', 'errors_total{type="b\\""} 1']
        )

    def test_buckets_are_cumulative(self) -> None:
        histogram = Histogram("seconds", "Seconds", ("route",))
        for seconds in (0.001, 0.05, 9.0):
            histogram.observe(seconds, "/")
        lines = histogram.lines()
        self.assertIn('seconds_bucket{route="/",le="0.005"} 1', lines)
        self.assertIn('seconds_bucket{route="/",le="0.1"} 2', lines)
        self.assertIn('seconds_bucket{route="/",le="+Inf"} 3', lines)
        self.assertIn('seconds_count{route="/"} 3', lines)
