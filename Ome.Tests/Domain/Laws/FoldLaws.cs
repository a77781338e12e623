using CsCheck;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Domain.Laws;

/// <summary>Folding does not depend on order, repeats change nothing, and the incremental form is the plain form.</summary>
public sealed class FoldLaws
{
    private static readonly ModelKey[] Models =
    [
        ModelKey.Cluster("m"), ModelKey.Cluster("basemodel.m"), ModelKey.Namespaced("clusterbasemodel", "m"), ModelKey.Namespaced("ns", "m"), ModelKey.Cluster(new string('m', 250)),
    ];

    private static readonly string[] Keys = [.. Models.Select(static model => model.DataKey).Distinct(), "no.model.key", "clusterbasemodel.unknown"];
    private static readonly Gen<string> Node = Gen.Int[0, 4].Select(static i => "node-" + i);

    private static readonly Gen<Dictionary<string, string>> Data = Gen.Select(WireGen.OneOf(Keys), WireGen.EntryText).List[0, 5].Select(static pairs =>
    {
        var data = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, text) in pairs) data[key] = text;
        return data;
    });

    private static readonly Gen<StorageIdentity> Identity = WireGen.OneOf(new StorageIdentity("hf://org/m", null), new StorageIdentity("hf://org/other", "/mnt/models/x"));

    private static readonly Gen<Change> AnyChange = Gen.Frequency(
        (6, Gen.Select(Node, Data, static (node, data) => new Change(node, data, null, null, null))),
        (1, Node.Select(static node => new Change(node, null, null, null, null))),
        (3, Gen.Select(Node, Gen.Bool, static (node, live) => new Change(node, null, live, null, null))),
        (2, Gen.Select(WireGen.OneOf(Models), Identity, static (model, wanted) => new Change(string.Empty, null, null, model, wanted))),
        (1, WireGen.OneOf(Models).Select(static model => new Change(string.Empty, null, null, model, null))));

    [Test]
    public void Incremental_is_full_after_every_change_and_names_what_changed() => AnyChange.List[1, 25].Sample(changes =>
    {
        var fold = new ReportFold();
        var plain = new Plain();
        foreach (var change in changes)
        {
            var before = Models.ToDictionary(static model => model, plain.Fold);
            var changed = change.ApplyTo(fold);
            plain.Apply(change);
            foreach (var model in Models)
            {
                var want = plain.Fold(model);
                Same(fold.Aggregate(model), want);
                if (change.Model is null && !Equal(before[model], want)) changed.Should().Contain(model, "its aggregate changed");
            }

            changed.Should().OnlyHaveUniqueItems();
            fold.LiveNodeCount.Should().Be(plain.Live.Count);
            fold.ReportCount.Should().Be(plain.Reports.Count);
        }
    }, iter: 200);

    [Test]
    public void A_repeated_report_names_nobody() => Gen.Select(Node, Data).Sample((node, data) =>
    {
        var fold = new ReportFold();
        fold.SetNode(node, isLive: true, []);
        fold.SetReport(node, data, []);
        var changed = new List<ModelKey>();

        fold.SetReport(node, new Dictionary<string, string>(data), changed);

        changed.Should().BeEmpty();
    });

    [Test]
    public void Order_of_reports_never_matters() => Gen.Select(Gen.Select(Node, Data).List[0, 6], Gen.Int).Sample((reports, seed) =>
    {
        var unique = reports.DistinctBy(static report => report.Item1).Select(static report => NodeReport.Read(report.Item1, report.Item2)).ToList();
        var live = unique.Select(static report => report.NodeName).ToHashSet();
        var shuffled = unique.ToArray();
        new Random(seed).Shuffle(shuffled);

        foreach (var model in Models)
        {
            var wanted = new StorageIdentity("hf://org/m", null);
            Same(ModelAggregator.Fold(model, wanted, shuffled, live), ModelAggregator.Fold(model, wanted, unique, live));
        }
    });

    private static void Same(ModelAggregate? one, ModelAggregate? other) => one.Should().BeEquivalentTo(other, static options => options.WithStrictOrdering());

    private static bool Equal(ModelAggregate? one, ModelAggregate? other) => Text(one) == Text(other);

    private static string Text(ModelAggregate? aggregate) => aggregate is null ? string.Empty : string.Join('|',
        string.Join(',', aggregate.NodesReady), string.Join(',', aggregate.NodesFailed), string.Join(',', aggregate.NodesUpdating), string.Join(',', aggregate.NodesStale),
        string.Join(',', aggregate.NodesDamaged), string.Join(',', aggregate.NodesUnreadable), aggregate.NodesVerified, aggregate.CouldNotVerify, aggregate.OldestProof, aggregate.Facts);

    /// <summary>A report (or its removal when <paramref name="Data"/> is null and nothing else is set), a node, or a model (or its removal).</summary>
    private sealed record Change(string Node, Dictionary<string, string>? Data, bool? Live, ModelKey? Model, StorageIdentity? Wanted)
    {
        public List<ModelKey> ApplyTo(ReportFold fold)
        {
            var changed = new List<ModelKey>();
            if (Model is not null && Wanted is { } wanted) fold.SetModel(Model, wanted);
            else if (Model is not null) fold.RemoveModel(Model);
            else if (Live is { } live) fold.SetNode(Node, live, changed);
            else if (Data is not null) fold.SetReport(Node, Data, changed);
            else fold.RemoveReport(Node, changed);
            return changed;
        }
    }

    private sealed class Plain
    {
        public Dictionary<string, NodeReport> Reports { get; } = [];

        public HashSet<string> Live { get; } = [];

        private readonly Dictionary<ModelKey, StorageIdentity> _wanted = [];

        public void Apply(Change change)
        {
            if (change.Model is { } model && change.Wanted is { } wanted) _wanted[model] = wanted;
            else if (change.Model is { } gone) _wanted.Remove(gone);
            else if (change.Live is { } live) _ = live ? Live.Add(change.Node) : Live.Remove(change.Node);
            else if (change.Data is { } data) Reports[change.Node] = NodeReport.Read(change.Node, data);
            else Reports.Remove(change.Node);
        }

        public ModelAggregate? Fold(ModelKey model) => _wanted.TryGetValue(model, out var wanted) ? ModelAggregator.Fold(model, wanted, Reports.Values, Live) : null;
    }
}
