using Ome.Agent.Watching;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Watching;

/// <summary>What the kernel tells of real directories, through one inotify instance.</summary>
public sealed class WatchedTreesTests
{
    private const int Limit = 180_000;
    private const int ENOSPC = 28;

    private static readonly ModelKey Model = ModelKey.Cluster("model");
    private static readonly ModelKey Other = ModelKey.Cluster("other");

    private TempDirectory _root = null!;
    private TroubledEvents _kernel = null!;
    private Told _told = null!;
    private WatchedTrees _trees = null!;
    private int _marks;

    private string ModelDirectory => Path.Combine(_root.Path, "model");

    private string OtherDirectory => Path.Combine(_root.Path, "other");

    [SetUp]
    public void Begin()
    {
        _marks = 0;
        _root = new TempDirectory();
        Directory.CreateDirectory(Path.Combine(ModelDirectory, "sub", "deep"));
        Directory.CreateDirectory(OtherDirectory);
        File.WriteAllText(Path.Combine(ModelDirectory, "weights"), "some bytes");
        File.WriteAllText(Path.Combine(ModelDirectory, "sub", "deep", "shard"), "some bytes");
        _kernel = new TroubledEvents();
        _told = new Told();
        _trees = new WatchedTrees(() => _kernel, _told);
    }

    [TearDown]
    public void End()
    {
        _trees.Dispose();
        _kernel.Dispose();
        _root.Dispose();
    }

    private static IEnumerable<TestCaseData> Changes =>
    [
        Case("write", static directory => File.AppendAllText(Path.Combine(directory, "weights"), "x")),
        Case("unlink", static directory => File.Delete(Path.Combine(directory, "weights"))),
        Case("rename", static directory => File.Move(Path.Combine(directory, "weights"), Path.Combine(directory, "weights.old"))),
        Case("truncate", static directory => { using var file = File.OpenWrite(Path.Combine(directory, "weights")); file.SetLength(3); }),
        Case("replace", static directory => { File.WriteAllText(directory + ".new", "other"); File.Move(directory + ".new", Path.Combine(directory, "weights"), overwrite: true); }),
        Case("touch", static directory => File.SetLastWriteTimeUtc(Path.Combine(directory, "weights"), DateTime.UnixEpoch)),
        Case("write deep below", static directory => File.AppendAllText(Path.Combine(directory, "sub", "deep", "shard"), "x")),
        Case("unlink deep below", static directory => File.Delete(Path.Combine(directory, "sub", "deep", "shard"))),
    ];

    [TestCaseSource(nameof(Changes)), CancelAfter(Limit)]
    public async Task A_change_of_a_file_is_told_of_its_model_alone(Action<string> change, CancellationToken token)
    {
        _trees.Watch(Model, ModelDirectory).Should().BeTrue();
        _trees.Watch(Other, OtherDirectory).Should().BeTrue();

        change(ModelDirectory);

        await _told.UntilAsync(("changed", Model), token);
        _told.All.Should().NotContain(one => one.Key == Other);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_new_directory_is_told_and_watched_after_the_next_walk(CancellationToken token)
    {
        _trees.Watch(Model, ModelDirectory);
        var made = Path.Combine(ModelDirectory, "sub", "new", "inner");
        Directory.CreateDirectory(made);
        await _told.UntilAsync(("moved", Model), token);

        _trees.Watch(Model, ModelDirectory);
        _told.Clear();
        await File.WriteAllTextAsync(Path.Combine(made, "shard"), "bytes", token);

        await _told.UntilAsync(("changed", Model), token);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_directory_that_went_is_told_and_no_longer_watched_where_it_went(CancellationToken token)
    {
        _trees.Watch(Model, ModelDirectory);
        _trees.Watch(Other, OtherDirectory);
        var away = Path.Combine(_root.Path, "away");
        Directory.Move(Path.Combine(ModelDirectory, "sub"), away);
        await _told.UntilAsync(("moved", Model), token);

        _trees.Watch(Model, ModelDirectory);
        await ForgetAsync(token);
        await File.AppendAllTextAsync(Path.Combine(away, "deep", "shard"), "x", token);
        await SettleAsync(token);

        _told.All.Should().NotContain(one => one.Key == Model);
    }

    [Test, CancelAfter(Limit)]
    public async Task The_models_own_directory_is_told_of_when_it_goes_and_when_another_comes(CancellationToken token)
    {
        _trees.Watch(Model, ModelDirectory);
        Directory.Move(ModelDirectory, ModelDirectory + ".old");
        await _told.UntilAsync(("moved", Model), token);
        _trees.Watch(Model, ModelDirectory).Should().BeFalse();
        _trees.Watch(Other, OtherDirectory);
        await ForgetAsync(token);

        // Nobody is told of what happens beside it.
        Directory.CreateDirectory(Path.Combine(_root.Path, "third"));
        await SettleAsync(token);
        _told.All.Should().NotContain(one => one.Key == Model);

        Directory.CreateDirectory(ModelDirectory);
        await _told.UntilAsync(("moved", Model), token);
        _trees.Watch(Model, ModelDirectory).Should().BeTrue();
        _told.Clear();
        await File.WriteAllTextAsync(Path.Combine(ModelDirectory, "weights"), "bytes", token);
        await _told.UntilAsync(("changed", Model), token);
    }

    [Test, CancelAfter(Limit)]
    public async Task No_link_is_followed_but_the_one_that_stands_for_the_directory(CancellationToken token)
    {
        var outside = Directory.CreateDirectory(Path.Combine(_root.Path, "outside")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(ModelDirectory, "link"), outside);
        var shared = Path.Combine(_root.Path, "shared");
        Directory.CreateSymbolicLink(shared, ModelDirectory);
        _trees.Watch(Model, shared).Should().BeTrue();
        _trees.Watch(Other, OtherDirectory);

        await File.WriteAllTextAsync(Path.Combine(outside, "file"), "bytes", token);
        await SettleAsync(token);
        _told.All.Should().NotContain(one => one.Key == Model);

        await File.AppendAllTextAsync(Path.Combine(ModelDirectory, "sub", "deep", "shard"), "x", token);
        await _told.UntilAsync(("changed", Model), token);
    }

    [Test, CancelAfter(Limit)]
    public async Task Models_in_one_directory_are_told_apart_and_leave_each_other_watched(CancellationToken token)
    {
        var inner = Path.Combine(ModelDirectory, "sub");
        _trees.Watch(Model, ModelDirectory);
        _trees.Watch(Other, inner);
        await File.AppendAllTextAsync(Path.Combine(inner, "deep", "shard"), "x", token);
        await _told.UntilAsync(("changed", Model), token);
        await _told.UntilAsync(("changed", Other), token);

        _trees.Drop(Model);
        _told.Clear();
        await File.AppendAllTextAsync(Path.Combine(inner, "deep", "shard"), "x", token);

        await _told.UntilAsync(("changed", Other), token);
        _told.All.Should().NotContain(one => one.Key == Model);
    }

    [Test, CancelAfter(Limit)]
    public async Task Lost_events_are_told_as_a_change_of_everything(CancellationToken token)
    {
        _trees.Watch(Model, ModelDirectory);
        _trees.Watch(Other, OtherDirectory);
        _kernel.LoseNext();

        File.Delete(Path.Combine(ModelDirectory, "weights"));

        await _told.UntilAsync(("lost", null), token);
        await _told.UntilAsync(("moved", Model), token);
        await _told.UntilAsync(("moved", Other), token);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_limit_that_is_reached_is_named_and_costs_only_the_model_that_asked(CancellationToken token)
    {
        _trees.Watch(Other, OtherDirectory);
        _kernel.Refusal = ENOSPC;

        FluentActions.Invoking(() => _trees.Watch(Model, ModelDirectory)).Should().Throw<IOException>().WithMessage("*fs.inotify.max_user_watches*");
        await SettleAsync(token);

        _kernel.Refusal = null;
        _trees.Watch(Model, ModelDirectory).Should().BeTrue();
        File.Delete(Path.Combine(ModelDirectory, "weights"));
        await _told.UntilAsync(("changed", Model), token);
    }

    [Test, CancelAfter(Limit)]
    public async Task Two_hundred_models_take_one_instance(CancellationToken token)
    {
        var before = InotifyInstances.Of("self");
        var models = Enumerable.Range(0, 200).Select(i => (Key: ModelKey.Cluster($"model-{i}"), Directory: Path.Combine(_root.Path, $"model-{i}"))).ToList();
        foreach (var (key, directory) in models)
        {
            Directory.CreateDirectory(Path.Combine(directory, "sub"));
            _trees.Watch(key, directory).Should().BeTrue();
        }

        // The one of this fixture was open before.
        InotifyInstances.Of("self").Should().BeLessThanOrEqualTo(before).And.BePositive();
        foreach (var (_, directory) in models) await File.WriteAllTextAsync(Path.Combine(directory, "sub", "shard"), "bytes", token);
        foreach (var (key, _) in models) await _told.UntilAsync(("changed", key), token);

        foreach (var (key, _) in models) _trees.Drop(key);
        _trees.Watch(Other, OtherDirectory);
        await ForgetAsync(token);
        foreach (var (_, directory) in models) File.Delete(Path.Combine(directory, "sub", "shard"));
        await SettleAsync(token);
        _told.All.Should().OnlyContain(one => one.Key == Other);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_directory_that_another_model_lets_go_meanwhile_is_watched_all_the_same(CancellationToken token)
    {
        var aside = Directory.CreateDirectory(Path.Combine(_root.Path, "aside", "other")).FullName;
        var third = ModelKey.Cluster("third");
        _trees.Watch(Other, aside);
        _trees.Watch(third, OtherDirectory);
        var isLetGo = false;
        _kernel.After = directory =>
        {
            if (directory != _root.Path || isLetGo) return;
            isLetGo = true;
            _trees.Drop(third);
            // The kernel's last word of it is taken, and told nobody.
            Directory.CreateDirectory(Path.Combine(aside, "mark"));
            SpinWait.SpinUntil(() => _told.MovesOf(Other) > 0 || token.IsCancellationRequested);
        };
        _trees.Watch(Model, ModelDirectory).Should().BeTrue();

        Directory.Move(ModelDirectory, ModelDirectory + ".old");
        Directory.CreateDirectory(ModelDirectory);

        // Once for the directory itself; for its name twice.
        while (_told.MovesOf(Model) < 3) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, token);
        isLetGo.Should().BeTrue();
    }

    /// <summary>All events of what happened so far are taken: those of a directory made now come after them.</summary>
    private async Task SettleAsync(CancellationToken token)
    {
        Directory.CreateDirectory(Path.Combine(OtherDirectory, $"mark-{++_marks}"));
        while (_told.MovesOf(Other) < _marks) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, token);
    }

    private async Task ForgetAsync(CancellationToken token)
    {
        await SettleAsync(token);
        _told.Clear();
    }

    private static TestCaseData Case(string name, Action<string> change) => new TestCaseData(change).SetArgDisplayNames(name);

    private sealed class Told : ITreeObserver
    {
        private readonly Lock _gate = new();
        private readonly List<(string What, ModelKey? Key)> _all = [];
        private readonly List<ModelKey> _moves = [];

        public IReadOnlyList<(string What, ModelKey? Key)> All
        {
            get
            {
                lock (_gate) return [.. _all];
            }
        }

        public int MovesOf(ModelKey key)
        {
            lock (_gate) return _moves.Count(one => one == key);
        }

        public void Changed(ModelKey key) => Add("changed", key);

        public void Moved(ModelKey key)
        {
            Add("moved", key);
            lock (_gate) _moves.Add(key);
        }

        public void EventsLost() => Add("lost", null);

        public void Clear()
        {
            lock (_gate) _all.Clear();
        }

        public async Task UntilAsync((string What, ModelKey? Key) wanted, CancellationToken token)
        {
            while (!All.Contains(wanted)) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, token);
        }

        private void Add(string what, ModelKey? key)
        {
            lock (_gate) _all.Add((what, key));
        }
    }
}
