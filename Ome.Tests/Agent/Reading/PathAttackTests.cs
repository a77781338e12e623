using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>
/// A tree made by an attacker (integrity reference F.14): nothing outside the root is ever opened, nothing hangs, everything is refused with
/// its reason. With openat2, and with the walk that stands in for it on older kernels.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class PathAttackTests(bool withOpenAt2) : ReadingFixture
{
    private string _outside = "";
    private string _root = "";
    private FaultyCalls _calls = new();

    [SetUp]
    public void MakeTwoWorlds()
    {
        _calls = new FaultyCalls(withOpenAt2 ? LinuxCalls.Instance : LinuxCalls.WithoutOpenAt2);
        _outside = Path.GetDirectoryName(Make("outside/secret", 100))!;
        _root = Path.GetDirectoryName(Make("root/good", 100))!;
        Make("root/sub/inner", 100);
    }

    [TearDown]
    public void Nothing_outside_was_opened_and_nothing_is_left_open()
    {
        _calls.Opened.Where(path => path != _root && !path.StartsWith(_root + "/", StringComparison.Ordinal)).Should().BeEmpty();
        _calls.Open.Should().BeEmpty();
    }

    [TestCase("{outside}/secret", TestName = "an absolute link out of the root")]
    [TestCase("../outside/secret", TestName = "a relative link out of the root")]
    [TestCase("sub/../../outside/secret", TestName = "a link that dives before it climbs")]
    [TestCase("../../../../../../../../../../etc/passwd", TestName = "a link that climbs to the top")]
    [TestCase("/proc/self/root/etc/passwd", TestName = "a magic link")]
    [TestCase("/proc/self/fd/0", TestName = "a link to a descriptor")]
    [CancelAfter(120_000)]
    public async Task A_link_out_of_the_root_is_refused(string target, CancellationToken token)
    {
        var text = target.Replace("{outside}", _outside, StringComparison.Ordinal);
        Link("evil", text);

        foreach (var seen in await LookBothWaysAsync("evil", token))
            seen.Should().Be(new FileObservation.BadLink(text, "it leads out of the allowed root"));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_chain_of_links_is_judged_by_its_end(CancellationToken token)
    {
        Link("a", "b");
        Link("b", "sub/c");
        Link("sub/c", "../../outside/secret");

        foreach (var seen in await LookBothWaysAsync("a", token)) seen.Should().Be(new FileObservation.BadLink("b", "it leads out of the allowed root"));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_linked_directory_on_the_way_is_no_way_out(CancellationToken token)
    {
        Link("dir", _outside);

        foreach (var seen in await LookBothWaysAsync("dir/secret", token)) seen.Should().BeOfType<FileObservation.BadLink>().Which.Problem.Should().Contain("out of");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_linked_directory_inside_the_root_is_followed(CancellationToken token)
    {
        Link("dir", "sub");

        foreach (var seen in await LookBothWaysAsync("dir/inner", token)) seen.Should().BeOfType<FileObservation.Present>().Which.LinkTarget.Should().BeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task Links_that_loop_or_lead_nowhere_are_bad_links(CancellationToken token)
    {
        Link("self", "self");
        Link("ping", "pong");
        Link("pong", "ping");
        Link("gone", "sub/not-there");
        Link("through-file", "good/x");

        foreach (var (name, text, problem) in new[]
                 {
                     ("self", "self", "it loops"), ("ping", "pong", "it loops"), ("gone", "sub/not-there", "its target does not exist"),
                     ("through-file", "good/x", "its target does not exist"),
                 })
        {
            foreach (var seen in await LookBothWaysAsync(name, token)) seen.Should().Be(new FileObservation.BadLink(text, problem));
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task Forty_links_are_followed_and_more_are_not(CancellationToken token)
    {
        Link("l0", "good");
        for (var i = 1; i <= 60; i++) Link($"l{i}", $"l{i - 1}");

        (await LookBothWaysAsync("l39", token)).Should().AllBeOfType<FileObservation.Present>();
        (await LookBothWaysAsync("l60", token)).Should().AllBeEquivalentTo(new FileObservation.BadLink("l59", "it loops"));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_special_file_is_named_and_never_opened(CancellationToken token)
    {
        Run("mkfifo", Path.Combine(_root, "fifo"));
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(_root, "socket")));
        Link("to-fifo", "fifo");

        (await LookBothWaysAsync("fifo", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("FIFO"));
        (await LookBothWaysAsync("to-fifo", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("FIFO"));
        (await LookBothWaysAsync("socket", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("socket"));
        (await LookBothWaysAsync("sub", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("directory"));
        _calls.CountOf(CallSite.Reopen).Should().Be(0);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_device_is_named_and_never_opened(CancellationToken token)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("mknod needs root");
        Run("mknod", Path.Combine(_root, "null"), "c", "1", "3");
        Run("mknod", Path.Combine(_root, "disk"), "b", "7", "250");

        (await LookBothWaysAsync("null", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("character device"));
        (await LookBothWaysAsync("disk", token)).Should().AllBeEquivalentTo(new FileObservation.WrongType("block device"));
        _calls.CountOf(CallSite.Reopen).Should().Be(0);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_link_swapped_in_between_check_and_open_is_not_followed(CancellationToken token)
    {
        var file = Path.Combine(_root, "good");
        _calls.Before = call =>
        {
            if (call is not { Site: CallSite.Reopen, Nth: 0 }) return;
            Link("swap", _outside + "/secret");
            File.Move(Path.Combine(_root, "swap"), file, overwrite: true);
        };

        var seen = await LookAsync("good", token);

        seen.Should().BeOfType<FileObservation.ChangedMeanwhile>("the file that was checked is the file that was read, and it was replaced");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_fifo_swapped_in_between_check_and_open_does_not_hang(CancellationToken token)
    {
        var file = Path.Combine(_root, "good");
        _calls.Before = call =>
        {
            if (call is not { Site: CallSite.Reopen, Nth: 0 }) return;
            File.Delete(file);
            Run("mkfifo", file);
        };

        (await LookAsync("good", token)).Should().BeOfType<FileObservation.ChangedMeanwhile>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_directory_swapped_for_a_link_while_resolving_is_no_way_out([Range(0, 3)] int after, CancellationToken token)
    {
        Make("outside/inner", 50);
        _calls.Before = call =>
        {
            if (call.Site != CallSite.OpenHandle || call.Nth != after) return;
            System.IO.Directory.Move(Path.Combine(_root, "sub"), Path.Combine(_root, "sub-away"));
            Link("sub", _outside);
        };
        Link("entry", "sub/inner");

        var seen = await LookAsync("entry", token);

        if (seen is FileObservation.Present present) present.Stamp.Size.Should().Be(100);
        else seen.Should().BeOfType<FileObservation.BadLink>();
    }

    [Test, CancelAfter(120_000)]
    public async Task The_longest_names_and_deep_nesting_are_read(CancellationToken token)
    {
        var name = new string('n', 255);
        var deep = string.Join('/', Enumerable.Repeat("d", 500)) + "/f";
        Make("root/" + name, 10);
        Make("root/" + deep, 10);

        (await LookBothWaysAsync(name, token)).Should().AllBeOfType<FileObservation.Present>();
        (await LookBothWaysAsync(deep, token)).Should().AllBeOfType<FileObservation.Present>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_hugging_face_snapshot_may_link_to_its_blobs_and_no_further(CancellationToken token)
    {
        Make("root/models--o--m/blobs/abc", 300);
        Make("root/models--o--other/blobs/def", 300);
        Make("root/models--o--m/snapshots/r1/plain", 10);
        Link("models--o--m/snapshots/r1/config.json", "../../blobs/abc");
        Link("models--o--m/snapshots/r1/stolen.json", "../../../models--o--other/blobs/def");
        Link("models--o--m/snapshots/r1/absolute.json", _root + "/models--o--m/blobs/abc");
        var cache = Path.Combine(_root, "models--o--m");
        var snapshot = Path.Combine(cache, "snapshots/r1");

        var within = await LookBothWaysAsync("config.json", token, snapshot, cache);
        within.Should().AllBeOfType<FileObservation.Present>().And.AllSatisfy(seen =>
            ((FileObservation.Present)seen).Should().Match<FileObservation.Present>(present => present.LinkTarget == "../../blobs/abc" && present.Stamp.Size == 300));
        (await LookBothWaysAsync("absolute.json", token, snapshot, cache)).Should().AllBeOfType<FileObservation.Present>();
        (await LookBothWaysAsync("stolen.json", token, snapshot, cache)).Should().AllBeOfType<FileObservation.BadLink>();
        (await LookBothWaysAsync("config.json", token, snapshot)).Should().AllBeOfType<FileObservation.BadLink>("the snapshot alone is the root here");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_root_that_is_itself_a_link_inside_the_boundary_is_opened_and_one_that_leads_out_is_not(CancellationToken token)
    {
        Link("alias", "sub");
        Link("trap", _outside);

        (await LookBothWaysAsync("inner", token, Path.Combine(_root, "alias"), _root)).Should().AllBeOfType<FileObservation.Present>();
        ArtifactRoot.Open(Path.Combine(_root, "trap"), _root, _calls).Should().Be(new ArtifactRootResult.Refused(UnreadableCause.RootUnavailable, "ELOOP"));
    }

    [Test, CancelAfter(120_000)]
    public async Task When_the_root_is_gone_or_another_one_nothing_below_is_called_missing(CancellationToken token)
    {
        var root = OpenTracked(_root, null);
        File.Delete(Path.Combine(_root, "good"));
        var before = await ReadAsync(root, "good", token);
        System.IO.Directory.Move(_root, _root + "-away");
        var gone = await ReadAsync(root, "good", token);
        System.IO.Directory.CreateDirectory(_root);
        var replaced = await ReadAsync(root, "good", token);
        System.IO.Directory.Delete(_root);
        System.IO.Directory.Move(_root + "-away", _root);

        before.Should().Be(new FileObservation.Missing());
        gone.Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.RootUnavailable);
        replaced.Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.RootUnavailable);
    }

    [TestCase("no-such-directory", UnreadableCause.RootUnavailable, "ENOENT")]
    [TestCase("root/good", UnreadableCause.RootUnavailable, "ENOTDIR")]
    public void A_root_that_cannot_be_opened_says_why(string name, UnreadableCause cause, string errno) =>
        ArtifactRoot.Open(Path.Combine(Directory, name), null, _calls).Should().Be(new ArtifactRootResult.Refused(cause, errno));

    [TestCase("relative/path", null)]
    [TestCase("/a/../b", "/a")]
    [TestCase("/models2/x", "/models")]
    public void A_root_outside_its_boundary_is_a_bug_of_the_caller(string path, string? boundary) =>
        FluentActions.Invoking(() => ArtifactRoot.Open(path, boundary)).Should().Throw<ArgumentException>();

    private void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(_root, name), target);

    private Task<FileObservation> LookAsync(string name, CancellationToken token) =>
        ReadAsync(OpenTracked(_root, null), name, token);

    private Task<FileObservation> ReadAsync(ArtifactRoot root, string name, CancellationToken token) =>
        new FileProbe(NewEngine()).ReadAsync(root, ArtifactPath.Parse(name), ReadRequest.WholeFile(WholeDigests.Sha256), token);

    /// <summary>By stat, by read, and in a pass over a list.</summary>
    private async Task<FileObservation[]> LookBothWaysAsync(string name, CancellationToken token, string? path = null, string? boundary = null)
    {
        var root = OpenTracked(path ?? _root, boundary);
        FileObservation? listed = null;
        await new StatPass(NewEngine()).StatAsync(root, [ArtifactPath.Parse(name)], (_, seen) => listed = seen.Observation, token);
        return [new FileProbe(NewEngine()).Stat(root, ArtifactPath.Parse(name)), await ReadAsync(root, name, token), listed!];
    }

    private ArtifactRoot OpenTracked(string path, string? boundary)
    {
        var root = Own(((ArtifactRootResult.Opened)ArtifactRoot.Open(path, boundary, _calls)).Root);
        _calls.Open.Clear(); // the root's own handles, which live as long as the root
        return root;
    }

    private ReadEngine NewEngine() => Own(new ReadEngine(Options, Budget, TimeProvider.System, _calls));
}
