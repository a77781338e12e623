using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

public sealed class FileJudgeTests
{
    private const long Chunk = 10;

    private static readonly ManifestEntry Entry = GivenManifest.Entry("model.safetensors", 25, Chunk, inode: 5);

    private static readonly FileObservation.Present Same = new(Entry.Stamp, null, null, [], ImmutableSortedDictionary<int, UInt128>.Empty, null);

    private static IEnumerable<TestCaseData> Doubts()
    {
        yield return Row("Missing", new FileObservation.Missing(), FindingReason.FileMissing, SecondLook.AfterSettling);
        yield return Row("A directory", new FileObservation.WrongType("directory"), FindingReason.UnexpectedType, SecondLook.AfterSettling);
        yield return Row("A dangling link", new FileObservation.BadLink("../x", "dangling"), FindingReason.LinkInvalid, SecondLook.AfterSettling);
        yield return Row("Shorter", Same with { Stamp = Entry.Stamp with { Size = 24 } }, FindingReason.SizeMismatch, SecondLook.AfterSettling, 24);
        yield return Row("Longer", Same with { Stamp = Entry.Stamp with { Size = 26 } }, FindingReason.SizeMismatch, SecondLook.AfterSettling, 25);
        yield return Row("A bad chunk", Read((0, Entry.Chunks[0]), (2, 7)), FindingReason.DigestMismatch, SecondLook.FromMedium, 20);
        yield return Row("Two bad chunks", Read((1, 7), (2, 7)), FindingReason.DigestMismatch, SecondLook.FromMedium, 10);
        yield return Row("A bad SHA-256", Same with { Sha256 = GivenManifest.Entry("x").Sha256 }, FindingReason.DigestMismatch, SecondLook.FromMedium);
        yield return Row("EIO", new FileObservation.Unreadable(UnreadableCause.Medium, "EIO", 12), FindingReason.ReadError, SecondLook.FromMedium, 12);
        yield return Row(
            "Another file behind a link", Same with { LinkTarget = "other", Sha256 = GivenManifest.Entry("x").Sha256 }, FindingReason.LinkInvalid, SecondLook.FromMedium);
    }

    [TestCaseSource(nameof(Doubts))]
    public void What_looks_bad_is_a_doubt_until_looked_at_again(FileObservation seen, FindingReason reason, SecondLook next, long? offset)
    {
        var doubt = Judge(seen).Should().BeOfType<FileJudgement.Doubtful>().Subject;

        doubt.Finding.Reason.Should().Be(reason);
        doubt.Finding.Path.Should().Be(Entry.Path);
        doubt.Finding.Offset.Should().Be(offset);
        doubt.Next.Should().Be(next);
    }

    [TestCase(UnreadableCause.Permission, FindingReason.PermissionDenied)]
    [TestCase(UnreadableCause.TimedOut, FindingReason.TimedOut)]
    [TestCase(UnreadableCause.Transient, FindingReason.SourceUnavailable)]
    [TestCase(UnreadableCause.RootUnavailable, FindingReason.RootUnavailable)]
    [TestCase(UnreadableCause.Cancelled, FindingReason.Cancelled)]
    public void What_could_not_be_looked_at_is_never_damage(UnreadableCause cause, FindingReason reason)
    {
        var unverified = Judge(new FileObservation.Unreadable(cause, "E")).Should().BeOfType<FileJudgement.Unverified>().Subject;

        unverified.Finding.Reason.Should().Be(reason);
        reason.IsDamage().Should().BeFalse();
    }

    [Test]
    public void Changed_while_read_is_not_damage() =>
        Judge(new FileObservation.ChangedMeanwhile()).Should().BeOfType<FileJudgement.Unverified>().Which.Finding.Reason.Should().Be(FindingReason.ChangedDuringCheck);

    [Test]
    public void An_unchanged_stamp_is_sound() => Judge(Same).Should().BeOfType<FileJudgement.Sound>();

    [Test]
    public void Another_device_number_after_a_reboot_is_no_drift() =>
        Judge(Same with { Stamp = Entry.Stamp with { Device = 99 } }).Should().BeOfType<FileJudgement.Sound>();

    [Test]
    public void A_drifted_stamp_asks_for_the_content()
    {
        Drift(Same with { Stamp = Entry.Stamp with { MtimeNs = 1 } }).Should().Be("mtime");
        Drift(Same with { Stamp = Entry.Stamp with { CtimeNs = 1 } }).Should().Be("ctime");
        Drift(Same with { Stamp = Entry.Stamp with { Inode = 1 } }).Should().Be("inode");
        Drift(Same with { Stamp = Entry.Stamp with { Blocks = 0 } }).Should().Be("blocks");
        Drift(Same with { LinkTarget = "elsewhere", Stamp = Entry.Stamp with { Inode = 1 } }).Should().Be("link");
    }

    [Test]
    public void Another_link_to_the_proven_inode_is_no_drift() => Judge(Same with { LinkTarget = "elsewhere" }).Should().BeOfType<FileJudgement.Sound>();

    [Test]
    public void Another_size_behind_another_link_is_the_links_fault()
    {
        var doubt = Judge(Same with { LinkTarget = "elsewhere", Stamp = Entry.Stamp with { Size = 3 } }).Should().BeOfType<FileJudgement.Doubtful>().Subject;

        doubt.Finding.Reason.Should().Be(FindingReason.LinkInvalid);
    }

    [Test]
    public void Proven_content_forgives_a_drifted_stamp()
    {
        var touched = Entry.Stamp with { MtimeNs = 1 };

        Judge(Same with { Stamp = touched, Sha256 = Entry.Sha256 }).Should().BeOfType<FileJudgement.Sound>();
        Judge(Read((0, Entry.Chunks[0]), (1, Entry.Chunks[1]), (2, Entry.Chunks[2])) with { Stamp = touched }).Should().BeOfType<FileJudgement.Sound>();
        Judge(Read((0, Entry.Chunks[0])) with { Stamp = touched }).Should().BeOfType<FileJudgement.Drifted>();
    }

    [Test]
    public void A_second_look_that_is_fine_clears_the_file_and_is_counted()
    {
        var confirmation = Confirm(Read((2, 7)), Same with { Sha256 = Entry.Sha256 });

        confirmation.Should().BeEquivalentTo(new { Finding = (FileFinding?)null, Flicker = true });
    }

    [Test]
    public void A_second_look_that_is_bad_too_confirms_with_its_own_values()
    {
        var confirmation = Confirm(Read((2, 7)), Read((0, 8), (2, 7)) with { Sha256 = GivenManifest.Entry("x").Sha256 });

        confirmation.Finding!.Reason.Should().Be(FindingReason.DigestMismatch);
        confirmation.Finding.Offset.Should().Be(0);
        confirmation.Chunks.Should().Equal(0, 2);
    }

    [Test]
    public void A_file_that_is_still_being_written_is_not_damaged_yet_but_not_forever()
    {
        var growing = Same with { Stamp = Entry.Stamp with { Size = 30 } };
        var grown = Same with { Stamp = Entry.Stamp with { Size = 40 } };

        Confirm(growing, grown).Finding!.Reason.Should().Be(FindingReason.ChangedDuringCheck);
        Confirm(growing, grown, earlierLooks: Confirmation.PatienceWithChange).Finding!.Reason.Should().Be(FindingReason.SizeMismatch);
        Confirm(growing, growing).Finding!.Reason.Should().Be(FindingReason.SizeMismatch);
    }

    [Test]
    public void When_only_the_chunk_digest_differs_the_manifest_is_wrong_and_not_the_file() =>
        Confirm(Read((2, 7)), Read((2, 7)) with { Sha256 = Entry.Sha256 }).Finding!.Reason.Should().Be(FindingReason.ManifestInvalid);

    [Test]
    public void Gone_and_back_as_another_file_is_not_damage() =>
        Confirm(new FileObservation.Missing(), Same with { Stamp = Entry.Stamp with { Inode = 6 } }).Finding!.Reason.IsDamage().Should().BeFalse();

    [Test]
    public void Damage_comes_first_in_a_verdict_and_nothing_else_makes_it_invalid()
    {
        var missing = new FileFinding(Entry.Path, FindingReason.FileMissing);
        var denied = new FileFinding(Entry.Path, FindingReason.PermissionDenied);

        VerdictRules.Conclude([denied, missing], 2).Should().BeEquivalentTo(new { Result = CheckResult.Invalid, Reason = FindingReason.FileMissing });
        VerdictRules.Conclude([denied], 2).Result.Should().Be(CheckResult.Inconclusive);
        VerdictRules.Conclude([], 2).Result.Should().Be(CheckResult.Valid);
        VerdictRules.Conclude([], 0).Result.Should().Be(CheckResult.Inconclusive);
    }

    private static Confirmation Confirm(FileObservation first, FileObservation second, int earlierLooks = 0) =>
        Confirmation.Of(Entry, (FileJudgement.Doubtful)Judge(first), first, Judge(second), second, earlierLooks);

    private static FileJudgement Judge(FileObservation seen) => FileJudge.Judge(Entry, Entry.Stamp, seen, Chunk);

    private static string Drift(FileObservation seen) => Judge(seen).Should().BeOfType<FileJudgement.Drifted>().Subject.Drift;

    private static FileObservation.Present Read(params (int Index, UInt128 Digest)[] chunks) =>
        Same with { Chunks = chunks.ToImmutableSortedDictionary(chunk => chunk.Index, chunk => chunk.Digest), Route = ReadRoute.Mixed };

    private static TestCaseData Row(string name, FileObservation seen, FindingReason reason, SecondLook next, long? offset = null) =>
        new TestCaseData(seen, reason, next, offset).SetArgDisplayNames(name);
}
