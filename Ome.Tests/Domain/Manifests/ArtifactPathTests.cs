using Ome.Shared.Domain.Manifests;

namespace Ome.Tests.Domain.Manifests;

public sealed class ArtifactPathTests
{
    [TestCase("config.json")]
    [TestCase("text_encoder/model.safetensors")]
    [TestCase("a/.hidden/b..c")]
    [TestCase("模型/重み.bin")]
    public void A_relative_path_is_taken_as_it_is(string text) => ArtifactPath.Parse(text).Value.Should().Be(text);

    [TestCase(null, "it is empty")]
    [TestCase("", "it is empty")]
    [TestCase("/etc/passwd", "it is absolute")]
    [TestCase("..", "it has a segment '..'")]
    [TestCase("a/../../b", "it has a segment '..'")]
    [TestCase("./a", "it has a segment '.'")]
    [TestCase("a//b", "it has an empty segment")]
    [TestCase("a/", "it has an empty segment")]
    [TestCase("a\\..\\b", "it holds a backslash")]
    [TestCase("C:/windows", "it begins with a drive letter")]
    [TestCase("//server/share/f", "it is absolute")]
    [TestCase("\\\\server\\share\\f", "it holds a backslash")]
    [TestCase("a\nb", "it holds a control character")]
    [TestCase("a\0b", "it holds a control character")]
    [TestCase("model\u202Etxt.bin", "it holds a bidirectional control character")]
    public void A_path_that_could_leave_or_mislead_is_refused_with_its_reason(string? text, string reason)
    {
        ArtifactPath.TryParse(text, out _, out var refusal).Should().BeFalse();
        refusal.Should().Be(reason);
    }

    [Test]
    public void A_segment_over_255_bytes_is_refused() =>
        ArtifactPath.TryParse(new string('ä', 128), out _, out _).Should().BeFalse();
}
