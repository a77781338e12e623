using System.Text;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

public sealed class LedgerCodecTests
{
    private static readonly DateTimeOffset Now = GivenManifest.Born.AddDays(3);

    private static ManifestDocument Document => GivenManifest.Document([GivenManifest.Entry("a", 25, 10), GivenManifest.Entry("b", 5, 10), GivenManifest.Entry("c", 0, 10)], 10);

    [Test]
    public void What_is_written_is_read_again()
    {
        var ledger = Sample();

        LedgerCodec.TryRead(new MemoryStream(LedgerCodec.Write(ledger)), Document, out var read, out var problem).Should().BeTrue(problem?.ToString());

        LedgerCodec.Write(read!).Should().Equal(LedgerCodec.Write(ledger));
        read!.Proof(0, 1).Should().Be(new ChunkProof(Now, ReadRoute.Direct));
        read.Proof(0, 2).At.Should().Be(GivenManifest.Born);
        read.Suspects[1].Should().Be(new Suspicion(FindingReason.SizeMismatch, Now, 2));
        read.ProvenStamp(2).Inode.Should().Be(77);
        read.IsExcused(2).Should().BeTrue();
        read.IsExcused(1).Should().BeFalse();
        read.FullPassSince.Should().Be(Now);
        read.LastCheckAt.Should().Be(Now);
    }

    [Test]
    public void A_ledger_of_another_manifest_proves_nothing()
    {
        var other = GivenManifest.Document([GivenManifest.Entry("a", 25, 10)], 10);

        LedgerCodec.TryRead(new MemoryStream(LedgerCodec.Write(Sample())), other, out _, out var problem).Should().BeFalse();
        problem!.Refusal.Should().Be(SealRefusal.OtherSubject);
    }

    [Test]
    public void A_manifest_is_not_a_ledger()
    {
        LedgerCodec.TryRead(new MemoryStream(ManifestCodec.Write(Document.Manifest)), Document, out _, out var problem).Should().BeFalse();
        problem!.Refusal.Should().Be(SealRefusal.NotThisFormat);
    }

    [TestCase("\"at\":[1793793600,1793793600]", "\"at\":[1793793600]")]
    [TestCase("\"via\":\"bdb\"", "\"via\":\"bxb\"")]
    [TestCase("\"path\":\"b\"", "\"path\":\"x\"")]
    [TestCase("\"suspect\":\"SizeMismatch\"", "\"suspect\":\"Whatever\"")]
    [TestCase("\"files\":3", "\"files\":4")]
    public void A_resealed_ledger_that_breaks_a_rule_is_refused(string text, string broken)
    {
        var file = Encoding.UTF8.GetString(LedgerCodec.Write(Sample()));
        var body = file[(file.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        var edited = body.Replace(text, broken, StringComparison.Ordinal);
        if (text.StartsWith("\"at\"", StringComparison.Ordinal)) edited = body.Replace("\"via\":\"bdb\"", "\"via\":\"bd\"", StringComparison.Ordinal);
        edited.Should().NotBe(body);

        var resealed = SealedText.Seal(LedgerCodec.Format, LedgerCodec.CurrentVersion, Encoding.UTF8.GetBytes(edited));
        LedgerCodec.TryRead(new MemoryStream(resealed), Document, out _, out var problem).Should().BeFalse();
        problem!.Refusal.Should().Be(SealRefusal.Malformed);
    }

    [Test]
    public void Every_flipped_bit_is_refused()
    {
        var bytes = LedgerCodec.Write(Sample());

        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            LedgerCodec.TryRead(new MemoryStream(bytes), Document, out _, out _).Should().BeFalse($"bit {bit} is flipped");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    private static VerificationLedger Sample()
    {
        var ledger = VerificationLedger.ProvenAt(Document, GivenManifest.Born);
        ledger.Prove(0, 1, Now, ReadRoute.Direct);
        ledger.Suspect(1, FindingReason.FileMissing, Now);
        ledger.Suspect(1, FindingReason.SizeMismatch, Now.AddHours(1));
        ledger.ProveWhole(2, Document.Manifest.Entries[2].Stamp with { Inode = 77 }, Now, ReadRoute.Mixed);
        ledger.Excuse(2);
        ledger.RequestFullPass(Now);
        ledger.LastCheckAt = Now;
        return ledger;
    }
}
