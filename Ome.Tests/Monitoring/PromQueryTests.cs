namespace Ome.Tests.Monitoring;

public sealed class PromQueryTests
{
    [TestCase("sum by (node, le) (rate(a_bucket{mode=\"x y\", other!~'b'}[5m] offset 1h)) > 0", "a_bucket", "le node mode other")]
    [TestCase("(sum(a) or vector(0)) == 0", "a", "")]
    [TestCase("a and on (instance) b == 1", "a b", "instance")]
    [TestCase("a > on (x) 1.1 * max by (x) (label_replace(b, \"x\", \"$1\", \"y\", \"(.+)\")) + 7e2", "a b", "x")]
    [TestCase("a{b=\"{c=\"}[$__rate_interval] / ignoring (d) group_left (e) f:g", "a f:g", "b d e")]
    public void Names_of_metrics_and_labels_are_found(string expression, string metrics, string labels)
    {
        PromQuery.Metrics(expression).Should().BeEquivalentTo(metrics.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        PromQuery.Labels(expression).Should().BeEquivalentTo(labels.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }
}
