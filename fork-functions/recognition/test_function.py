# SPDX-License-Identifier: Apache-2.0
import unittest

import function
import torch


class RecognitionTest(unittest.TestCase):
    def test_probabilities_of_the_classes(self):
        probabilities = function.handler(function.setup("resnet18"))
        self.assertEqual(1000, len(probabilities))
        self.assertAlmostEqual(1, sum(probabilities), places=4)
        self.assertEqual(probabilities, function.handler(function.setup("resnet18")))

    def test_weights_are_those_of_the_file(self):
        model, _ = function.setup("resnet18")
        torch.manual_seed(function.SEED)
        drawn = function.torchvision.models.resnet18().state_dict()
        self.assertTrue(all(torch.equal(drawn[name], value) for name, value in model.state_dict().items()))

    def test_other_models(self):
        with self.assertRaisesRegex(ValueError, "resnet99 is not one of resnet50, resnet18"):
            function.setup("resnet99")


if __name__ == "__main__":
    unittest.main()
