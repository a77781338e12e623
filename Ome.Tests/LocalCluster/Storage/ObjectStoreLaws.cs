using System.Text.Json.Nodes;
using CsCheck;
using Ome.LocalCluster.Storage;

namespace Ome.Tests.LocalCluster.Storage;

/// <summary>What the store promises whatever is written: a model that is a plain dictionary sees the same.</summary>
public sealed class ObjectStoreLaws
{
    private enum Act { Put, Remove }

    private static readonly Gen<(Act Act, int Key, int Value)[]> Writes =
        Gen.Select(Gen.Enum<Act>(), Gen.Int[0, 5], Gen.Int[0, 1000]).Array[0, 60];

    [Test]
    public void Every_past_list_within_the_history_can_be_rebuilt() => Writes.Sample(writes =>
    {
        var (store, collection) = Fresh(history: 1000);
        var past = new List<(long Revision, string State)>();
        foreach (var write in writes)
        {
            Apply(store, collection, write);
            past.Add((store.Revision, Describe(store.List(collection))));
        }
        return past.TrueForAll(p => Describe(store.ListAt(collection, p.Revision)!.Value) == p.State);
    });

    [Test]
    public void A_list_and_the_changes_after_it_make_the_newest_list() => Gen.Select(Writes, Writes).Sample((before, after) =>
    {
        var (store, collection) = Fresh(history: 1000);
        foreach (var write in before) Apply(store, collection, write);
        var list = store.List(collection);
        foreach (var write in after) Apply(store, collection, write);

        var rebuilt = list.Objects.ToBuilder();
        var cursor = list.Revision;
        while (store.Read(collection, cursor, 7) is { Wait: null } read)
        {
            foreach (var change in read.Events)
            {
                if (change.New is null) rebuilt.Remove(change.Key);
                else rebuilt[change.Key] = change.New;
            }
            cursor = read.Through;
        }
        return Describe(new ListSnapshot(store.Revision, rebuilt.ToImmutable())) == Describe(store.List(collection));
    });

    [Test]
    public void A_bounded_history_tells_the_truth_or_says_that_it_forgot() => Gen.Select(Writes, Gen.Int[1, 20]).Sample((writes, bound) =>
    {
        var (store, collection) = Fresh(bound);
        var starts = new List<(long Revision, int Changes)>();
        var changes = 0;
        foreach (var write in writes)
        {
            starts.Add((store.Revision, changes));
            if (Apply(store, collection, write)) changes++;
        }
        return starts.TrueForAll(start =>
        {
            var read = store.Read(collection, start.Revision, int.MaxValue);
            var missed = changes - start.Changes;
            return missed <= bound ? !read.Forgotten && read.Events.Length == missed : read.Forgotten;
        });
    });

    [Test]
    public void A_write_from_an_old_version_never_happens() => Writes.Sample(writes =>
    {
        var (store, collection) = Fresh(history: 1000);
        var key = new ObjectKey("ns", "k0");
        var stale = store.TryPut(collection, key, null, Tree(key, 0));
        store.TryPut(collection, key, stale, Tree(key, 1));
        var revision = store.Revision;
        foreach (var write in writes)
        {
            if (store.TryPut(collection, key, stale, Tree(key, write.Value)) is not null || store.TryPut(collection, key, null, Tree(key, write.Value)) is not null) return false;
        }
        return store.TryRemove(collection, stale!) is null && store.Revision == revision;
    });

    private static (ObjectStore Store, ObjectCollection Collection) Fresh(int history)
    {
        var store = new ObjectStore(history);
        return (store, store.Collection("things"));
    }

    private static bool Apply(ObjectStore store, ObjectCollection collection, (Act Act, int Key, int Value) write)
    {
        var key = new ObjectKey("ns", $"k{write.Key}");
        var current = store.Get(collection, key);
        if (write.Act == Act.Put) return store.TryPut(collection, key, current, Tree(key, write.Value)) is not null;
        return current is not null && store.TryRemove(collection, current) is not null;
    }

    private static JsonObject Tree(ObjectKey key, int value) =>
        new() { ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace, ["uid"] = key.Name }, ["value"] = value };

    private static string Describe(ListSnapshot list) => string.Join(';', list.Objects.Values.Select(o => $"{o.Key}={o.Parse()["value"]}@{o.Revision}"));
}
